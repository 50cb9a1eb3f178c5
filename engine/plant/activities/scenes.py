"""What people tell besides readings, by activity: what was done, heard or seen, in no number and without the activity's name. For training.

A line is `ACTIVITY : scenes`, in the marks of `sentences.py`. The last scene of each activity is held out: training has none of them.
"""

SCENES = """
domain drilling rig
drilling : (formation is hard|we are in shale now|bit no. 4 is still sharp); cuttings come over the shakers; (new hole every minute|the geologist wants samples); the driller feeds off weight nice and even
tripping in : (fresh bit at the end of the string|new bit going down); stand after stand goes into the well; derrickman racks nothing, he hands out stands; we add pipe and lower away
tripping out : (bit is worn, we want it on deck|the old bit has to come up); stand after stand racked in the derrick; floor is busy breaking out pipe; pipe keeps coming out wet
circulating : waiting for the mud to come clean at the shakers; (bottoms up takes another hour|gas has to be out first); nobody drills, just mud going round; mud engineer wants even weights in and out
making a connection : (a new joint hangs in the mousehole|tongs are on the pipe); the crew screws on the next pipe; kelly broken off, next single stabbed; next single going on top
reaming : tight spot, we go over it again; (hole walls need smoothing|undergauge section); working the pipe through the same interval; scrubbing the same few metres of open hole
idle : (waiting on weather|waiting on cement|waiting on orders|crew meeting); the crew is at the coffee; nobody on the drill floor; everything hangs and waits for the boss
domain pump
pumping : (customer side happy|process gets what it wants); same as all week; nobody needs to touch it; round done, nothing to report
off : (breaker is out|lock and tag on the switch|the button was pressed yesterday); quiet as a grave in there; nobody asked for it today; the contactor has dropped out
starting up : (button pressed a moment ago|contactor pulled in just now); soft starter is on its ramp; it was stopped until we needed it; operator has just hit the green button
shutting down : (breaker opened a moment ago|stop button pressed just now|the power was cut); it runs out by itself; operator wants it stopped; red button hit a moment back
cavitating : (sounds like gravel in there|crackling noise|as if marbles went round); strainer in front may be dirty; the level in the sump is very low; a rattle like stones inside
running dry : (the sump is empty|no liquid came to it|the foot valve leaks|air was drawn in); smells hot at the seal; nothing left to move; the well ran out
blocked outlet : somebody shut the (gate|tap) behind it; it pushes against a wall; water inside just goes round and gets warm; line behind frozen solid
domain compressor
loaded : (plant takes a lot of air|big consumers are on); the air goes into the net; it works with its full note; the sandblasters want it all
unloaded : (no one takes air|consumers are at lunch); it hisses off and turns for nothing; sound got lighter all at once; blow-off was heard, then lighter hum
off : (isolator is out|main switch off); silent in the compressor room; sunday, nobody needs air; the room is dead silent
starting up : star-delta has just switched over; it was cold and silent until now; first minute after the button; somebody needs air again, it wakes
surging : loud (bang bang bang|whooshing) every second; the check valve slams; anti-surge valve did not open in time; a booming and coughing in the pipe
overheating : (oil cooler full of dust|cooling water is missing|room fan broken); the warning lamp for the oil came; it will trip soon; cooler fins clogged with lint
domain CNC machine
cutting : chips (fly|pile up) in the tray; a steel blank is clamped; tool 12 goes through the pocket; the blank gets its contour
rapid positioning : G0 in the current block; it goes over to the next part in the air; override 100 percent, no contact; just flying over to the other corner
tool change : T7 is called next, block says M6; the old drill goes back in the pocket; (arm noise|a clack) from the side; worn drill goes out, sharp one in
warming up : first thing in the morning, empty run; no blank clamped, programme O9999 for the bearings; castings shall be warm before the first part; monday, bearings get their gentle round
idle : (operator at lunch|nobody at the control|waiting for blanks); green lamp, no programme; cycle start not pressed; door open, operator is away
tool breakage : (a loud crack|a bang) and then ugly noise; end mill in two pieces; surface of the part is ruined; half of the cutter lies in the chips
domain wind turbine
generating : a (fine|usual) day on the hill; blades flat and turning; selling power as it comes; decent day on the ridge
rated power : (good storm front|strong day), every kW we can have; control throttles with the blades; more would not go; we cannot sell any more than that
waiting for wind : (calm|foggy, dead calm) morning; the blades barely drift; flag at the gate hangs limp; leaves do not even stir
storm shutdown : trees bend, nobody goes outside; control took it off the net for safety; blades out of the wind on purpose; roofs fly in the village
stopped for service : (two technicians in the nacelle|climbers are up there); tags on the main switch; oil change on the gearbox; crew van at the foot of the tower
domain conveyor
running loaded : (coal|gravel|ore) on it from end to end; loader dumps without a break; silo at the end gets filled; rocks go up to the bunker
running empty : (feeder is off|hopper empty), nothing on top; we let it turn until the trucks come; bare rubber going round; clean belt passes the scraper
stopped : (pull cord reset but not started|shift over); nobody feeds, nobody runs it; key is with the foreman; walkway open for cleaning
jammed : (a big rock wedged|timber stuck) at the chute; motor strains and nothing goes; fuse will blow in a second; something is wedged under the skirt
belt slipping : (rubber smell|smoke at the head|squealing); drum goes round under the belt; tension weight hangs too high; wet belt, no grip on the drum
domain air handler
heating : (tenants were cold|frost night); boiler runs for it; warm air wanted upstairs; radiators alone do not make it
cooling : (heat wave|tenants sweat|server people complain); chiller runs for it; sun on the glass all day; ice machine weather
ventilating : (no call for either|mild day); just moving air through the place; boiler and chiller both off; only fresh air, spring day
off : (weekend|night setback|isolator out); grilles dead; no schedule today; nobody in the building
filter clogged : bags not changed for (a year|ages); dust storm last week; whistling at the filter door; bags grey and sucked in
domain furnace
heating up : (batch went in cold|started this morning); recipe on its first slope; the glow gets brighter; steel still dark, going to glow
holding temperature : (two hours to go on this step|timer runs); recipe on its plateau; load has to equalise; the plateau timer counts
cooling down : recipe on its last slope; (parts may come out tomorrow|batch is done); ticking noise from the bricks; let it lose heat till morning
off : (summer break|not in use this week); main gas cock shut; dust on the panel; bricks as cold as the hall
door open : (forklift brings the parts|somebody loads); heat hits your face; glow lights the hall; crane lifts the pot out
domain battery
charging : (sun is out|mains came back|cable is in); it takes what it gets; needs a few hours yet; panels deliver since noon
discharging : (power cut|night, house lives on it|grid gone); inverter lives on it; generator did not start; lamps live on it tonight
resting : both contactors open; nobody feeds or uses it; on the shelf; disconnected both sides
overheating : (smell of electrolyte|cooling fan dead); BMS alarm; case swells a bit; get the extinguisher ready
full : charger went to its last stage; nothing more goes in; green lamp on the charger; green light, bar complete
domain tank
filling : (road tanker connected|pump from the well runs); it takes two hours to the top; consumers closed; well water comes in
draining : (batch goes to the next step|customer takes it); bottom is opened; should be empty by evening; truck loads from it
holding : nobody in, nobody out; (batch waits for the lab|weekend); all taps shut; lab has not released it
overflowing : (water runs down the wall|puddle under it|it runs over the edge); level switch did not stop it; yard is wet; runs down outside
leaking : (nobody draws and still it goes|wet patch under the bottom); all taps shut, yet less every hour; seam looks damp; drips from a weld somewhere
domain washing machine
filling : (start pressed|water hisses in); laundry lies dry yet; powder gets flushed; hose hisses
washing : (suds slosh round|to and fro it goes); the programme's middle part; towels go over and over; towels slap to and fro
heating water : programme 60 degrees chosen; (the glass gets warm|meter runs fast); wants hot suds; lights dim, meter spins
spinning : (the whole machine walks|floor shakes|howls like a jet); last minutes of the programme; laundry pressed to the wall; it roars and walks
draining : (grey water gurgles in the sink|hose spits); before the next rinse; gurgle in the pipe; sink fills with grey water
off : (door open, laundry out|plug pulled); nothing lit; done since noon; dark panel
domain cold store
cooling : (goods came in warm|door was open before); plant works to get it down; fans blow over the block; working to reach setpoint
defrosting : (ice on the block|water drips in the tray); every six hours; plant pauses for it; ice slides off the fins
door open : (forklift goes in and out|delivery at the dock); fog rolls out; curtain pushed aside; pallets go through right now
holding : (nothing to do|all in band); plant pauses, all tight; goods fine; thermostat is content
cooling failure : (it runs and runs and nothing gets cold|bubbles in the sight glass); goods start to thaw; fitter called, gas low?; ice cream gets soft though it hums
domain vehicle
parked : (driver went home|keys on the hook); doors locked; in the yard since yesterday; locked and left
idling : (at the lights|driver smokes|waiting at the ramp) ; driver in the seat, not going anywhere; exhaust puffs; traffic light, still red
accelerating : (on the slip road|light went green|overtaking); it pushes you into the seat; full beans; merging, needs to get going
cruising : (motorway, cruise control on|long straight, same pace); no traffic; radio on; miles and miles of the same
braking : (red light ahead|tail end of a jam|deer on the road); passengers lean forward; brake lights on; nose dips
reversing : (beeper on|camera on|into the bay); driver looks over the shoulder; to the dock tail first; beep beep at the ramp
charging : (at the wallbox overnight|rapid charger at the services); driver has coffee meanwhile; cable on the ground; app counts kWh
refuelling : (at the pump|petrol station); nozzle hangs in; it smells of diesel; price counter runs
domain server
idle : (sunday night|nobody logged in|spare box); nothing scheduled; fans hardly heard; waiting for work
normal load : (tuesday morning|regular hours); users fine; no ticket; usual business
heavy load : (sale started|everyone logs in at nine|black friday); users say slow; queues grow; campaign went live
memory leak : (restart helps for a day|OOM killer last night); graph like a staircase; load is just the same; never frees what it takes
overheating : (air conditioning in the room is out|dust in the box); clock gets throttled; hot aisle too hot; one of the blowers died
backup : (two in the night|tape window); the copy to the vault runs; users asleep; everything goes to the vault
offline : (cable pulled?|power gone?|no LED); console black; nobody can log in; does not answer anyone
domain network link
idle : (sunday|branch closed|nobody there); cable fine, nobody uses it; keepalives only; office dark, cable ok
normal traffic : (office hours|mail and web); nobody complains; as on any weekday; ordinary day
bulk transfer : (one big copy to the other site|images being copied); two hosts only; goes on till midnight; one host sends its archive
congestion : (video freezes|phone calls break up|everybody streams); queue full; provider line too small; too much for the line
outage : (digger cut the fibre|SFP dead|someone pulled it); site cut off; light gone; provider ticket open
flooding attack : (from thousands of addresses|botnet); firewall gasps; site down for real users; sources all over the world
domain person
sleeping : (went to bed at eleven|snoring|midnight); lies flat, lights out; blanket over the head; alarm set for six
sitting : (at the desk|in front of the TV|in a meeting); typing now and then; in the chair; office chair, screen
standing : (at the bus stop|in the queue|at the bench); on the feet, not going anywhere; queue does not move; waits at the counter
walking : (with the dog|to the shop|in the park); one foot before the other, talking; no hurry; dog pulls the leash
running : (training for the half marathon|intervals); panting; shoes hit the track; both feet off the ground
cycling : (road bike|to work on two wheels); helmet on; hands on the bar; on two wheels
climbing stairs : (lift is broken|fourth floor); step after step up; hand on the rail; floor after floor on foot
domain elevator
going up : (from the lobby to the office floors|to the top); car on its way; next stop above; roof restaurant pressed
going down : (to the garage|to the lobby); car on its way; next stop below; everybody leaves for lunch
standing : (nobody calls|night); dark, waits; at its floor; nobody rides
loading : (movers push things in|crowd gets in); doors held; somebody holds the button; trolleys roll in
stuck : (someone inside shouts|people inside phone us); not at any floor; firemen on the way; somebody is trapped
domain robot arm
moving : (carries a part over|on the way to the rack); between two stations; programme in auto; from belt to pallet
holding : (keeps the part for the welder|waits for the go); part in the air; under torque, no motion; stays put with the part
gripping : (picks the part|takes a box off the belt); jaws come together; part gets caught; it takes hold
idle : (teach pendant hung up|no job); brakes clacked in; cell gate open; nobody programmed it today
collision : (hit the fence|a fixture was left inside|bang); drives tripped; dent in the tool; tool bent, bang heard
"""
