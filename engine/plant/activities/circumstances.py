"""What people read on instruments that the rule base does not know, by activity: it fits, it helps, it is never quoted. For training.

Written as in `scenes.py`; `<2..6>` is a number drawn from there, with as many decimals as its first one. The last of each line is held out.
"""

CIRCUMSTANCES = """
domain drilling rig
drilling : downhole tool sends gamma <40..130> API; <8..40> (m|ft) made since midnight; stroke counter <60..110> spm; ECD <1.10..1.60>; shaker load <50..90> %; next survey in <5..25> m
tripping in : stands in the well <12..90>; trip tank gaining <0.3..2.0> m3; lowering <20..45> stands an hour; fill the pipe every <10..25> stands; running speed <0.3..0.9> m/s downward
tripping out : stands on the floor <12..90>; trip tank losing <0.3..2.0> m3; overpull <3..15> t at times; pulling <10..30> stands an hour; hole fill <4..20> strokes per stand
circulating : stroke counter <60..110> spm; pit volume <60..140> m3 steady; mud weight in <1.10..1.60> out <1.10..1.60>; lag time <25..80> min; gas came down to <0.1..1.5> %
making a connection : stand no. <20..140>; make-up (twist|moment) on the tong <20..45> kNm; connection took <3..12> min so far; pipe count <60..400>; joint of <9..14> m picked up
reaming : interval of <10..40> m again; third pass of <3..6>; overpull spots <2..14> t; walls give <1..4> caving pieces per minute; ream time <10..90> min
idle : <2..30> h on standby; wave height <3..9> m; wind over the deck <18..30> m/s; crew of <5..20> in the mess; NPT code <10..60>
domain pump
pumping : efficiency <60..85> %; strainer dp <0.1..0.3> bar; valve behind it <60..100> % open; <100..900> h since overhaul; runs <8..24> h a day; head <20..90> m as on the curve
off : permissive no; VFD display <0..0> Hz; insulation test <200..900> MOhm; last run <2..40> h ago; drain plug dry; contactor counts <100..9000>
starting up : VFD at <10..25> Hz, then <30..48> Hz; inrush over after <2..8> s; ramp time <5..30> s; start no. <10..800>; <3..20> s since the command
shutting down : VFD from <40..50> Hz to <5..20> Hz; stop command <3..30> s ago; check valve about to close; decel ramp <5..30> s; freewheeling for <4..25> s
cavitating : NPSH available <1.0..2.5> m, required <3.0..6.0> m; strainer dp <0.5..1.5> bar; sump only <5..15> cm over the bell; bubbles in the sight glass; efficiency fell to <25..45> %
running dry : sump level <0..3> cm; seal flush <0..0> l/min; no liquid in the sight glass; float switch low; dry-run relay will trip in <5..30> s; priming chamber empty
blocked outlet : head at shut-off <40..120> m; downstream pressure <0..0>; check valve stuck; actuator says <0..2> %; minimum flow bypass closed; ice plug in <3..20> m of pipe
domain compressor
loaded : VFD <40..50> Hz; load relay in; intake vacuum <5..20> mbar; <60..95> % duty; dryer dew point <2..5> °C; separators dp <0.2..0.6> bar
unloaded : load relay out; sump blown down to <1.0..2.5> bar; run-on timer <60..400> s; cut-out point <7.0..10.0> reached; power <15..35> % of nominal; blow-off open
off : PLC says ready; no voltage after the switch; cold since <2..40> h; last start <1..9> days ago; padlock <1..30>
starting up : star to delta after <4..12> s; <5..40> s since the button; start no. <10..900>; sump pressure building <0.2..1.0> bar; phase current unbalance <1..4> %
surging : <20..80> cycles a minute; thrust bearing <0.3..0.8> mm; check valve slams <1..3> times a second; recycle valve <0..5> % open; past the line at <60..75> % flow
overheating : cooler dp <0.8..2.0> kPa; room <38..48> °C; oil level <10..30> %; fan contactor out; thermostat valve stuck; alarm code A<10..90>, trip at <110..125>
domain CNC machine
cutting : depth of cut <1.0..6.0> mm; block N<100..900>; tool life <20..80> %; part <3..40> of <50..90>; chip conveyor on; stepover <20..60> %
rapid positioning : G00 X<100..900> Y<100..600>; distance to go <200..900> mm; block N<100..900>; override <80..100> %; Z at <100..300> mm over the part
tool change : M06 T<2..30>; from pocket <1..30> to pocket <1..30>; Z at home; drawbar unclamped; swap takes <3..9> s
warming up : programme O<8000..9999>; minute <2..15> of <20..30>; no part in the vice; grease pulse every <2..6> min; expansion <5..30> µm
idle : NC ready, M30 passed; cycle time last part <2..40> min; door open for <3..40> min; waiting <5..90> min; mode MDI, no block
tool breakage : laser check: length <10..60> mm short; acoustic emission <8..10> V; tool T<2..30> missing; scrap part <3..40>; stopped feeling any cut after that
domain wind turbine
generating : capacity <20..60> %; gearbox oil <45..58> °C; grid <49.9..50.0> Hz; turbulence <6..14> %; sold <2..9> MWh today; converter on
rated power : capacity <98..100> %; gearbox oil <58..70> °C; generator winding <80..110> °C; curtailed <0..0> %; thrust at its limit; converter fully loaded
waiting for wind : cut-in is <3..4> m/s; converter off; gearbox oil <12..25> °C; own use <8..20> kW; <2..30> h without a kWh; averages <1.0..2.2> over ten minutes
storm shutdown : limit is <24..26> m/s; tower sways <0.3..0.9> m; gust <35..48> m/s; other turbines of the row are out as well; alarm code <100..400>, wind too much
stopped for service : work permit <100..999>; ladder lock on; manual mode; oil filter no. <1..9> out; hatch open; remote control disabled
domain conveyor
running loaded : <200..900> t since midnight; bunker <30..80> % and rising; feeder <40..90> Hz; gate <30..90> % open; chute sensor covered
running empty : <0..0> t in the last <5..40> min; feeder stopped; chute sensor free; power <15..30> % of rated; run-out timer <60..300> s
stopped : pull cord tripped at <3..60> m; contactor out; zero speed switch made; off since <1..20> h; interlock open
jammed : overload relay at <90..99> %; zero speed switch made but contactor in; skirt plate bent; chute plugged sensor on; <3..20> s until trip; stall
belt slipping : take-up <20..60> cm too high; slip switch made; scraper worn; lagging worn to <2..6> mm; water on the drum; tension <20..50> % of design
domain air handler
heating : setpoint <20..23> °C; flow water <55..75> °C; frost thermostat ok; boiler firing; mixed air <8..15> °C; call for heat <60..100> %
cooling : setpoint <20..24> °C; chilled water <6..9> °C; condensate drips; chiller stage <1..3>; enthalpy high; tower fan on; call for cold <60..100> %
ventilating : dampers <80..100> % open; CO2 <500..900> ppm; economiser on; no call from the zone; return equals supply within <0..1> K
off : schedule unoccupied; dampers <0..0> %; hand switch 0; last run <6..60> h ago; fire alarm test, all dead
filter clogged : last change <14..30> months ago; dp alarm at <200..300> Pa; bags sucked in; dust on everything; VFD at max <48..50> Hz; pollen season
domain furnace
heating up : gradient <80..250> K/h; step <1..2> of <4..6>; <1..4> h to target; charge <2..9> t of cold steel; burner pressure <30..60> mbar
holding temperature : step <3..4> of <5..6>; <20..200> min left; spread over the load <2..6> K; control deviation <0..1> K; soak timer counts
cooling down : step <5..6> of 6; gradient -<40..150> K/h; flap open; unload in <3..12> h; burner locked out; cooling curve
off : main switch 0; last batch <2..30> days ago; gas meter no change; lining under repair; key removed
door open : charging machine inside; light barrier broken; open for <20..200> s; losing <5..20> K a second; draught; crane over the pit
domain battery
charging : time to full <1..6> h; MPPT <300..900> W; absorb stage next; charger LED yellow; coulomb count + <10..80> Ah; power in <1..9> kW
discharging : time to empty <1..8> h; grid <0..0> V; inverter <0.5..6.0> kW; coulomb count - <10..80> Ah; cut-off at <42..45> V; load shedding soon
resting : contactors open; drift <1..4> mV an hour; self discharge <1..3> % a month; both breakers off; BMS asleep
overheating : BMS code <10..60>; gradient <2..9> K/min; fan <0..0> rpm; smoke detector pre-alarm; balancing stopped; limit is <45..50> °C
full : absorb done <1..9> h ago; float stage; tail current below C/<50..100>; MPPT throttled; cell spread <2..9> mV; LED green
domain tank
filling : <20..90> min to full; tanker holds <10..30> m3; pump P<1..9> on towards it; <2..9> cm every minute; high alarm at <90..95> %
draining : <20..90> min to empty; truck takes <10..30> m3; pump P<1..9> draws from it; <2..9> cm less every minute; low alarm at <5..15> %
holding : batch <100..900> in it; sampled <2..9> times; change <0..0> in <3..20> h; agitator off; seals on the taps
overflowing : LSHH tripped; <50..900> l in the bund; dike sump pump on; puddle of <2..9> m2; emergency stop pressed late
leaking : wet soil, <1..4> m wide; <20..300> l a day missing; balance off by <1..9> m3; bund sump wet below the wall; flange gasket drips <20..90> a minute
domain washing machine
filling : flow sensor <5..10> l/min; programme step 1 of <6..9>; <3..18> l so far; pressure switch not yet; door locked
washing : programme step 3 of <7..9>; <20..60> min left; motor reverses every <8..15> s; foam level <1..3>; <2..8> kg of cotton
heating water : element relay in; target <40..90> °C; <3..12> K to go; programme step 2 of <7..9>; meter counts fast
spinning : unbalance <100..400> g; <2..8> min left; G factor <200..400>; noise <70..82> dB; vibration <3..9> mm; last step of <7..9>
draining : filter clean; hose flow <12..20> l/min; <4..15> l left; pressure switch about to reset; step <4..6> of <7..9>
off : door unlocked; cycle counter <200..4000>; standby <0.1..0.4> W; ended <1..9> h ago; LED dark
domain cold store
cooling : evaporator fans on; liquid line <25..38> °C; expansion valve <30..80> % open; setpoint -<18..24> °C not reached; superheat <4..8> K
defrosting : drip tray <1..4> l; cycle <2..6> of the day; fans stopped; ends at <10..20> °C; <5..25> min so far; element <2..9> kW
door open : open alarm after <2..5> min; <3..20> pallets to go; air curtain on; light on; forklift <1..9> inside; mist at the sill
holding : setpoint -<18..24> °C reached; next start in <5..30> min; fans off; differential <1..3> K; nothing moves; kWh today low
cooling failure : superheat <20..40> K; sight glass bubbles; alarm <100..300>; leak detector <50..400> ppm; condenser cold; runs <3..20> h without stop; goods at risk
domain vehicle
parked : handbrake on; alarm armed; <3..60> h since last trip; 12 V battery <12.2..12.8> V; nobody in the seat; engine cold, <2..18> °C
idling : coolant <80..92> °C; <0.5..1.5> l/h; handbrake on; <2..30> min like that; A/C on; no gear
accelerating : turbo <0.8..1.8> bar; <4..9> s so far; kickdown; <150..320> Nm at the wheel; gear <2..4> then up; <18..45> l/100 km right now
cruising : cruise control set; <4.5..8.5> l/100 km; lane assist on; <20..200> km to go; sixth gear; turbo <0.2..0.5> bar
braking : ABS <0..1>; retarder stage <1..4>; distance ahead <20..60> m shrinking; recuperation <10..60> kW; overrun, no fuel injected
reversing : rear camera on; parking sensor <40..150> cm; beeper; steering <200..480> °; tail to the dock <2..9> m
charging : charger says <20..300> min to go; RFID card <100..900>; pack <20..35> °C; <200..800> V DC; session <3..50> kWh so far
refuelling : nozzle <20..40> l/min; pump <1..9> shows <20..90> EUR; <15..70> l so far; receipt no. <100..999>; pump hose in
domain server
idle : load average <0.01..0.10>; <1..2> users; <70..120> W from the PSU; context switches few; <90..180> threads; swap 0
normal load : load average <0.8..2.5>; <90..200> ms response; <180..280> W from the PSU; error share <0.1..0.4> %; <200..600> threads; SLA met
heavy load : load average <24..96>; <900..5000> ms response; run queue <20..90>; autoscaler adds <2..9> pods; <380..700> W from the PSU; 503s <2..15> %
memory leak : swap from <0..1> to <4..12> GB; GC every <1..5> s; <3..9> % more each hour; java pid <1000..9000>; OOM score <600..900>; page faults rising
overheating : throttling <20..60> %; clock down to <0.8..1.6> GHz; room <32..42> °C; CRAC off; IPMI event <100..900>; intake <35..48> °C
backup : rsync pid <1000..9000>; <20..80> % of the snapshot; dump of <200..900> GB; tape <1..9>; window from 01:00 to 05:00; dedupe <2..6>x
offline : PSU LED dark; iDRAC no route; last seen <2..90> min ago; arp entry gone; uptime unknown; failover to node <1..9>
domain network link
idle : utilisation <0.0..0.2> %; keepalive every <10..60> s; last user left at <17..20>:00; OSPF hellos only; nobody in the office
normal traffic : utilisation <15..40> %; jitter <1..3> ms; CRC errors 0; MOS <4.1..4.4>; DNS, mail, web; <80..300> users
bulk transfer : utilisation <90..98> %; rsync to the other site; one pair of hosts; <200..900> GB to go; TCP window max; job ends in <1..6> h
congestion : utilisation <97..100> %; queue depth <800..4000>; jitter <40..120> ms; retransmits <4..15> %; MOS <1.8..2.8>; WRED drops
outage : optical power -<35..40> dBm; BGP neighbour down <2..90> min; LOS alarm; interface resets <1..20>; provider ticket <1000..9999>; backup LTE took over
flooding attack : SYNs without ACK <80..99> %; from <2000..90000> addresses; UDP port <53..123>; router CPU <95..100> %; scrubbing centre called; IDS rule <1000..9999>
domain person
sleeping : SpO2 <93..97> %; breathing <11..15> a minute; skin <34..36> °C; deep phase <20..90> min; turned <1..4> times; <2..7> h so far
sitting : <20..200> min without a break; keyboard <40..80> words; breathing <13..16> a minute; calories <1.2..1.8> a minute; screen on
standing : weight on both feet <48..52> %; sway <1..3> cm; <3..40> min on the spot; breathing <14..17> a minute; calories <1.5..2.2> a minute
walking : stride <0.65..0.80> m; <1..6> km so far; ground contact <600..750> ms; breathing <17..22> a minute; calories <4..6> a minute
running : stride <1.0..1.4> m; <3..20> km so far; ground contact <200..280> ms; flight time <60..130> ms; pace <4..6> min per km; breathing <32..48> a minute
cycling : power <120..280> W; gear <50..53>x<13..19>; <10..80> km so far; wheel <280..420> turns; tail wind; balance <48..52> % left
climbing stairs : <2..12> floors; <15..20> cm each; breathing <26..36> a minute; vertical <0.15..0.35> m/s; calories <8..11> a minute; knee lift high
domain elevator
going up : arrow up; next stop <5..30>; <2..9> people; brake lifted; from floor <0..3>; pattern nominal; counterweight comes down
going down : arrow down; next stop <0..2>; <2..9> people; brake lifted; from floor <8..30>; pattern nominal; counterweight goes up
standing : light off after <2..9> min; brake set; no arrow; floor <0..9>; trips today <100..800>; drive asleep
loading : light curtain broken; hold timer <20..90> s; <3..12> people so far; brake set; overload at <600..1600> kg; trolley in the door
stuck : safety chain open at <3..20>; fault E<10..90>; <2..5> people inside; brake set; rescue in <10..40> min; intercom call
domain robot arm
moving : override <60..100> %; path point <3..40>; programme <10..99> line <20..400>; payload <2..60> kg; auto mode; cycle <6..30> s
holding : waits for input <1..32>; servo on; following error <0..0> mm; part <2..60> kg in the air; wait time <2..40> s; weld in progress
gripping : vacuum no, jaw air <5..6> bar; part present <0..1>; closing took <0.2..0.6> s; box <2..20> of <24..60>; pick point <1..9>
idle : servo off; T1 mode; E-stop ok; last cycle <10..300> min ago; teach pendant hung up; home <0..0> mm off
collision : following error <8..40> mm; fault SRVO-<40..60>; E-stop; disturbance <120..300> %; bent pin; TCP off by <2..20> mm after it
"""
