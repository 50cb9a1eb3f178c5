"""What people of the trade say of one reading of a plant, a vehicle, a computer, a person: as in `telltales.py`."""

PLANTS = """
domain air handler
fan 0 : [ventilator motor] is <off>; [belt drive] <not running>; [impeller] <standing>; [fan motor] <silent>
fan n : [ventilator motor] at {v}; [VFD] gives {v}; [impeller] runs at {v}; [fan motor] set to {v}
flow 0 : <no air> from the [diffusers]; [grilles] <dead, nothing blows>; [duct] <without flow>; [anemometer] <zero>
flow n : [diffusers] blow {v}; [duct] carries {v}; {v} through the [duct]; [grilles] give {v} in total
flow l : hardly any air from the [diffusers], {v}; [duct] down to {v}; just {v} out of the [grilles]; people say no air, [duct] has {v}
heat 0 : [hot water] <shut off>; [heating tap] <closed>; [heater battery] <cold>; <no heat> from the [coil]; [boiler side] <zero>
heat n : [hot water] opened to {v}; [heating tap] {v} open; [heater battery] works at {v}; [boiler side] calls for {v}
cool 0 : [chilled water] <shut off>; [cooling tap] <closed>; [DX] <off>; <no call> from the [chiller side]; [cold battery] <not used>
cool n : [chilled water] opened to {v}; [cooling tap] {v} open; [DX] at {v}; [chiller side] asks for {v}; [cold battery] works at {v}
supply h : [vent air] comes out warm, {v}; hot [air at the grille], {v}; [blown air] {v}, cosy; [duct sensor] {v}
supply l : [vent air] comes out cold, {v}; chilly [air at the grille], {v}; [blown air] {v}, fresh; [duct sensor] {v}
supply n : [vent air] neutral, {v}; [air at the grille] {v}; [blown air] {v}
room l : [office] freezing with {v}; tenants shiver at {v} in the [hall]; [thermostat] finds it too cold, {v}; [classroom] only {v}
room n : [office] comfortable, {v}; {v} in the [hall]; [thermostat] {v}; [classroom] fine at {v}
room h : [office] stuffy, {v}; tenants sweat at {v} in the [hall]; [thermostat] shows {v}, too warm; [classroom] hot with {v}
outside l : frost [outdoors], {v}; [street] {v}; winter, [roof sensor] {v}; cold [day], {v}
outside n : mild [outdoors], {v}; [street] {v}; spring, [roof sensor] {v}; pleasant [day], {v}
outside h : heat [outdoors], {v}; [street] {v}; summer, [roof sensor] {v}; scorching [day], {v}
filter 0 : [manometer] <zero>; [U-tube] <level>; [bag section] {v}
filter n : [manometer] over the bags {v}; [U-tube] {v}, clean; [bag section] {v}; [filter bank] takes {v} only
filter h : [manometer] over the bags way up, {v}; [U-tube] {v}, black with dust; [bag section] chokes with {v}; [filter bank] eats {v}
domain furnace
temp l : [chamber] cold, {v}; [bricks] at {v}; [pyrometer] only {v}; [inside] {v}, you can touch it
temp m+ : [chamber] coming up, {a} to {b}; [pyrometer] from {a} to {b}; [charge] getting hotter, {a} then {b}; [inside] went from {a} to {b}
temp n : [chamber] sits at {v}; [pyrometer] flat at {v}; [charge] soaked through at {v}; [inside] exactly {v}
temp m- : [chamber] cooling off, {a} to {b}; [pyrometer] coming down from {a} to {b}; [charge] loses heat, {a} then {b}; [inside] was {a}, is {b}
temp nd : [chamber] lost its heat at once, {a} to {b}; [pyrometer] plunged {a} to {b}; [inside] fell from {a} to {b} in no time; [charge] dipped, {a} to {b}
set n : [controller] asks for {v}; [recipe] says {v}; [programme] wants {v}; [dial] on {v}
set l : [controller] back at {v}; [recipe] ends at {v}; [programme] wants {v} only; [dial] on {v}
power 0 : [burners] <out>; [elements] <off>; [gas] <shut>; [SCR] <zero>; [flame] <out>
power m : [burners] at part fire, {v}; [elements] ticking over with {v}; [gas] at {v}; [SCR] modulates around {v}
power h : [burners] at full fire, {v}; [elements] flat out, {v}; [gas] wide open, {v}; [SCR] maxed, {v}
door closed : [lid] <shut>; [front] <closed>; [hood] <down, closed>
door open : [lid] <open>; [front] is <open>; [hood] <lifted>; someone left the [front gate] <open>
fan on : [recirc] <running>; [stirrer] <on>; [air mover] <going>
fan off : [recirc] <off>; [stirrer] <stopped>; [air mover] <off>
domain battery
soc m+ : [pack] filling, {a} to {b}; [gauge] up from {a} to {b}; [bank] got from {a} to {b}; [juice] {a}, now {b}
soc n- : [pack] emptying, {a} to {b}; [gauge] down from {a} to {b}; [bank] went from {a} to {b}; [juice] {a}, now {b}
soc n : [pack] stays at {v}; [gauge] stuck at {v}; [bank] {v}, does not change; [juice] at {v}
soc f : [pack] topped up, {v}; [gauge] at the top, {v}; [bank] brim-full at {v}; [juice] {v}
current 0 : [charger] gives <nothing>; <nothing> goes in from the [charger]; [mains side] <off>; [rectifier] <no output>; [solar side] <zero>
current n : [charger] pushes {v}; {v} going in from the [rectifier]; [mains side] feeds {v}; [solar side] brings {v}
current l : [charger] only trickles, {v}; a tiny {v} from the [rectifier]; [mains side] just {v}; [solar side] drips {v}
draw 0 : [consumers] take <nothing>; <nothing> goes out to the [load]; [inverter] <without load>; [house] <not taking any>; [outgoing shunt] <zero>
draw n : [consumers] take {v}; {v} going out to the [load]; [inverter] draws {v}; [house] eats {v}; [outgoing shunt] {v}
voltage n : [terminals] {v}; {v} over the [poles]; [string] {v}; [multimeter] shows {v}
voltage h : [terminals] high, {v}; {v} over the [poles]; [string] floats at {v}; [multimeter] {v}
voltage n+ : [terminals] up, {a} to {b}; [poles] from {a} to {b}; [multimeter] {a}, then {b}
voltage n- : [terminals] sag, {a} to {b}; [poles] from {a} to {b}; [multimeter] {a}, then {b}
temp n : [cells] cool, {v}; [case] at {v}; [hottest module] {v}
temp h+ : [cells] getting dangerous, {a} to {b}; [case] hot, {a} then {b}; [hottest module] runs up from {a} to {b}; [thermistor] {a}, now {b}
domain tank
level m+ : [dip stick] up, {a} to {b}; [sight glass] rising from {a} to {b}; [contents] growing, {a} then {b}; [float] came up from {a} to {b}; [liquid] {a} before, {b} now
level n- : [dip stick] down, {a} to {b}; [sight glass] falling from {a} to {b}; [contents] shrinking, {a} then {b}; [float] sank from {a} to {b}; [liquid] {a} before, {b} now
level n : [dip stick] {v}, no change; [sight glass] stays at {v}; [contents] {v} all along; [float] rests at {v}
level f : [dip stick] wet to the top, {v}; [sight glass] full, {v}; [contents] to the brim, {v}; [float] against the roof, {v}
inflow 0 : <nothing> coming [in]; <no feed> at the [inlet]; [filling line] <dry>; [supply] <stopped>; [upstream] sends <nothing>
inflow n : {v} coming [in]; [filling line] runs {v}; [inlet] brings {v}; [upstream] sends {v}; [supply] {v}
outflow 0 : <nothing> going [out]; <nobody draws> at the [outlet]; [draw-off line] <dry>; [consumers] take <nothing>; [downstream] <zero>
outflow n : {v} going [out]; [draw-off line] takes {v}; [outlet] gives {v}; [downstream] gets {v}; [consumers] take {v}
invalve open : [fill tap] <open>; [feed cock] <open>; [upper valve] is <open>
invalve closed : [fill tap] <shut>; [feed cock] <closed>; [upper valve] is <shut>
outvalve open : [drain tap] <open>; [bottom cock] <open>; [lower valve] is <open>
outvalve closed : [drain tap] <shut>; [bottom cock] <closed>; [lower valve] is <shut>; bottom [plug] <in>
overflow wet : [spill pipe] <running>; water in the [bund], it is <wet>; [overflow pipe] <gushing>; [high-high float] <up>
overflow dry : [spill pipe] <dry>; [bund] <dry>; [overflow pipe] <nothing>
domain washing machine
drum 0 : [basket] <still>; [tub] <not turning>; [laundry] <lying still>; [cylinder] <stopped>
drum l : [basket] rolls at {v}; [laundry] tumbling at {v}; [cylinder] turns gently, {v}; [tub] to and fro at {v}
drum h : [basket] whirls at {v}; [laundry] flung round at {v}; [cylinder] races, {v}; [tub] roaring at {v}
level 0 : <no water> in the [tub]; [suds] <gone>; [glass] shows <no water>; [basin] <empty>
level m+ : [water in the tub] rising, {a} to {b}; [suds] up from {a} to {b}; [glass] shows more, {a} then {b}; [basin] from {a} to {b}
level n : [water in the tub] at {v}; [suds] stay at {v}; [glass] half way, {v}; [basin] {v}
level n- : [water in the tub] going down, {a} to {b}; [suds] down from {a} to {b}; [glass] shows less, {a} then {b}; [basin] from {a} to {b}
temp l : [water] cold, {v}; [bath] {v}; [liquor] just {v}
temp n : [water] {v}; [bath] warm, {v}; [liquor] keeps {v}
temp m+ : [water] getting warmer, {a} to {b}; [bath] from {a} to {b}; [liquor] {a}, then {b}; [glass] hotter, {a} to {b}
heater on : [heating rod] <on>; [rod] <energised>; [steam valve] <on>; [element relay] <pulled in>
heater off : [heating rod] <off>; [rod] <not energised>; [steam valve] <off>; [element relay] <dropped out>
inlet open : [tap] <running>; [solenoid] <open>; [cold tap] is <on>; water [intake] <open>
inlet closed : [tap] <closed>; [solenoid] <shut>; [cold tap] is <off>; water [intake] <shut>
pump on : [lye pump] <humming>; [drain motor] <on>; [sump pump] <running>; [waste pump] <going>
pump off : [lye pump] <off>; [drain motor] <silent>; [sump pump] <not running>; [waste pump] <off>
power 0 : [plug meter] <zero>; [socket] <no draw>; [display] <dark>; [consumption meter] {v}
power l : [plug meter] {v}; [socket] only {v}; [motor and board] take {v}
power n : [plug meter] way up, {v}; [socket] {v}; [mains] feels it, {v}
domain cold store
room n : [box] at {v}; [goods] {v}; [wall thermometer] {v}, where it should be; [inside] a stable {v}
room n- : [box] pulled down from {a} to {b}; [goods] getting colder, {a} to {b}; [wall thermometer] {a}, then {b}; [inside] from {a} down to {b}
room n+ : [box] gets warmer, {a} to {b}; [goods] from {a} to {b}; [wall thermometer] {a}, now {b}; [inside] losing the cold, {a} to {b}
room n> : [box] a touch warmer, {a} to {b}; [goods] {a}, then {b}; [wall thermometer] creeps {a} to {b}
coil l : [evaporator] frosty, {v}; [fins] at {v}; [cooler block] ice cold, {v}
coil n : [evaporator] {v}; [fins] {v}; [cooler block] {v}
coil h : [evaporator] warm, {v}; ice melts, [fins] at {v}; [cooler block] not even cold, {v}; water drips, [cooler] {v}
compressor on : [condensing unit] <running>; [cooling machine] <humming>; [rack] is <on>; [fridge motor] <going>
compressor off : [condensing unit] <off>; [cooling machine] <silent>; [rack] is <off>; [fridge motor] <stopped>
heater on : [defrost rods] <on>; [rods in the coil] <energised>; [coil heating] <glowing>; [hot gas] <on>
heater off : [defrost rods] <off>; [rods in the coil] <cold>; [coil heating] <off>; [hot gas] <off>
door open : [sliding gate] <open>; forklift keeps the [portal] <open>; [leaf] stands <ajar>; someone blocked the [entrance], it is <open>
door closed : [sliding gate] <shut>; [leaf] <closed>; [entrance] <locked>; [hatch] <tight>
humidity n : [moisture] {v}; [hygrometer] {v}; [air] at {v}
humidity h : fog, [moisture] {v}; [hygrometer] way up, {v}; [air] dripping, {v}
suction n : [low side] {v}; [manifold gauge] {v}; [return line] {v}
suction l : [low side] nearly empty, {v}; [manifold gauge] hardly {v}; [return line] just {v}
"""

EVERYDAY = """
domain vehicle
speed 0 : [wheels] <not moving>; [she] is <standing>; [car] <stationary>; [GPS] says <not moving>; [tacho] <zero>
speed m+ : [she] went from {a} to {b}; [needle] climbing, {a} to {b}; [GPS] from {a} to {b}; [tacho] {a} then {b}; [car] got up from {a} to {b}
speed n : [she] rolls along at {v}; [needle] steady on {v}; [GPS] {v} all the way; [tacho] {v}; [car] keeps {v}
speed n- : [she] came down from {a} to {b}; [needle] falling, {a} to {b}; [GPS] from {a} to {b}; [tacho] {a} then {b}; [car] lost speed, {a} to {b}
speed l : [she] creeps at {v}; [needle] hardly up, {v}; [GPS] {v}; [tacho] just {v}; [car] crawls {v}
engine 0 : [motor] <off>; [ignition] <off>; [rev counter] <at zero>; [diesel] <silent>; [crank] <not turning>
engine i : [motor] ticks over at {v}; [rev counter] low, {v}; [diesel] purrs at {v}; [crank] {v}
engine n : [motor] {v}; [rev counter] at {v}; [diesel] turns {v}
engine n+ : [motor] revs up, {a} to {b}; [rev counter] from {a} to {b}; [diesel] howls, {a} to {b}
engine n- : [motor] revs down, {a} to {b}; [rev counter] from {a} to {b}; [diesel] calms, {a} to {b}
throttle 0 : [right foot] <off the pedal>; [gas] <released>; [pedal] <up>; [foot] <not on it>; [loud pedal] <not touched>
throttle l : [gas] a whiff, {v}; [pedal] {v}; [right foot] light, {v}
throttle n : [gas] held at {v}; [pedal] {v}; [right foot] steady, {v}; [loud pedal] at {v}
throttle h : [gas] floored, {v}; [pedal] nearly to the floor, {v}; [right foot] heavy, {v}; [loud pedal] {v}
brake 0 : [left pedal] <not pressed>; [brakes] <off>; [stop light] <dark>; [calipers] <free>
brake n : [left pedal] pressed, {v}; [brakes] on with {v}; [brake fluid] at {v}; [calipers] squeeze with {v}
accel 0 : [g meter] {v}; [IMU x] nothing, {v}; [push in the seat] {v}
accel n : pushed into the seat, [g meter] {v}; [IMU x] {v}; [push in the seat] {v}
accel b : hanging in the belt, [g meter] {v}; [IMU x] {v}; [pull forward] {v}
gear d : [stick] in <drive>; [lever] on <D>; [box] in <a forward gear>
gear r : [stick] in <reverse>; [lever] on <R>; [box] in <reverse>; white [lamps] <lit>
gear p : [stick] in <park>; [lever] on <P>; [box] in <park>
gear n : [stick] in <neutral>; [lever] on <N>; [box] <out of gear>
fuel n : [tank] {v}; [needle of the tank] {v}; [diesel left] {v}
fuel m+ : [tank] filling, {a} to {b}; [needle of the tank] up from {a} to {b}; [diesel] goes in, {a} then {b}; [petrol] {a}, now {b}
soc n : [pack] {v}; [charge gauge] {v}; [range bar] {v}
soc m+ : [pack] going up, {a} to {b}; [charge gauge] from {a} to {b}; [phone app] said {a}, now {b}; [range bar] {a} to {b}
plug in : [cable] <in>; [wallbox] <connected>; [lead] is <plugged in>; [charge flap] shows the plug <in>
plug out : [cable] <not plugged in>; [wallbox] <free>; [lead] <put away>
charge n : [wallbox] gives {v}; [station] pushes {v}; [fast charger] {v}; [phone app] says {v} going in
cap open : [flap] <open>; [nozzle] <in>, cap <off>; [filler neck] <open>; [lid] <unscrewed>
cap closed : [flap] <shut>; [filler neck] <closed>; [lid] <on>
domain server
cpu 0 : [top] shows <nothing>; [cores] <no data>; [processor graph] <flat zero>; [htop] <blank>
cpu l : [cores] bored, {v}; [top] says {v}; [processor graph] flat at {v}; [htop] hardly {v}
cpu m : [cores] some work, {v}; [top] says {v}; [processor graph] around {v}; [htop] {v}
cpu n : [cores] at {v}; [top] says {v}; [processor graph] around {v}; [htop] the usual {v}
cpu h : all [cores] pegged, {v}; [top] says {v}; [processor graph] against the ceiling, {v}; [htop] all red, {v}
memory l : [free] says {v} taken; [RSS] {v}; [swap and RAM] only {v}
memory n : [free] says {v} taken; [RSS] {v}; [swap and RAM] {v}; [heap graph] flat, {v}
memory m+ : [RSS] never comes back, {a} to {b}; [heap graph] a ramp, {a} to {b}; [free] got worse, {a} then {b}; the [process] grew from {a} to {b}; [swap and RAM] {a}, now {b}
disk 0 : [iostat] <zero>; [LEDs of the disks] <dark>; [array] <no access>
disk l : [iostat] just {v}; [array] sleeps, {v}; [spindles] nearly nothing, {v}; [SAN] {v}
disk n : [iostat] {v}; [array] {v}; [spindles] busy as usual, {v}; [SAN] {v}
disk h : [iostat] hammering, {v}; [array] flat out with {v}; [spindles] at {v}, all LEDs lit; [SAN] streams {v}
net 0 : [NIC] <silent>; [switch port] <nothing>; [wire] <no bits>; [tcpdump] <empty>
net l : [NIC] {v}; [switch port] almost quiet, {v}; [wire] a trickle, {v}; [uplink] {v}
net n : [NIC] {v}; [switch port] {v}; [wire] carries {v}
net h : [NIC] full, {v}; [switch port] glowing with {v}; [wire] stuffed, {v}; [uplink] blasts {v}
requests 0 : [users] <none>; [access log] <nothing>; [load balancer] sends <nothing>; [front end] <zero hits>
requests l : [users] hardly any, {v}; [access log] only {v}; [load balancer] sends {v}; [front end] {v}
requests n : [users] bring {v}; [access log] {v}; [load balancer] sends {v}; [front end] serves {v}
requests h : [users] storming in, {v}; [access log] races by, {v}; [load balancer] throws {v} at it; [front end] swamped with {v}
temp l : [board] cool, {v}; [die] {v}; [IPMI] {v}
temp n : [board] {v}; [die] {v}; [IPMI] says {v}; [heat sink] {v}
temp h+ : [board] cooking, {a} to {b}; [die] from {a} to {b}; [IPMI] alarms, {a} then {b}; [heat sink] too hot, {b} after {a}
fan n : [blowers] at {v}; [front fans] {v}; [fan tray] {v}
fan l : [blowers] almost standing, {v}; [front fans] limp at {v}; [fan tray] just {v}; one [rotor] crawls, {v}
ping ok : [ssh] <answering>; [monitor] <green>; [heartbeat check] <fine>
ping no : [ssh] <timing out>; [monitor] <red>; [heartbeat check] <lost>; [console] <not answering>; [nagios] says <unreachable>
domain network link
rate 0 : [graph] <flat zero>; <no bits> on the [line]; [counters] <frozen>; [fibre] <dark>; [pipe] <empty>
rate l : [graph] near the floor, {v}; just {v} on the [line]; [counters] hardly move, {v}; [pipe] all but empty, {v}
rate n : [graph] around {v}; {v} on the [line]; [counters] say {v}; [pipe] {v}
rate h : [graph] at the ceiling, {v}; [line] full, {v}; [counters] race, {v}; [pipe] stuffed with {v}
packets 0 : [frame count] <none>; [port counter] <frozen>; [sniffer] sees <nothing>; [LED] <dark>
packets l : [frame count] just {v}; [port counter] {v}; [sniffer] sees {v}; [LED] blinks now and then, {v}
packets n : [frame count] {v}; [port counter] {v}; [sniffer] sees {v}
packets h : [frame count] {v}; [port counter] racing, {v}; [sniffer] sees {v}
packets x : a hail of [frame count], {v}; [port counter] insane, {v}; [sniffer] drowns in {v}; [firewall] hit by {v}
size h : [frame count] big, {v} each; [mean size] {v}; [MTU] nearly full, {v}
size n : [frame length] {v}; [mean size] {v}; [length] mixed, {v}
size l : [frame length] tiny, {v}; [mean size] just {v}; [length] {v}, nothing but headers; all small [stuff], {v}
loss 0 : [drops] <none>; <nothing> lost in the [queue]; [errors] <zero>; [mtr] <no losses>
loss l : [drops] {v}; [queue] loses {v}; [mtr] {v}, fine; [errors] as little as {v}
loss h : [drops] ugly, {v}; [queue] throws away {v}; [mtr] {v} gone; calls break up, [losses] {v}
latency n : [mtr] {v}; [trip time] {v}; [pong] after {v}; [lag] {v}, fine
latency h : [trip time] awful, {v}; [pong] after {v}; [lag] {v}, users complain; [mtr] up at {v}
connections 0 : [session table] <empty>; [clients] <none>; [NAT] <no entries>
connections l : [session table] {v}; [clients] only {v}; [NAT] {v} entries; a handful of [peers], {v}
connections n : [session table] {v}; [clients] {v}; [NAT] {v} entries; [peers] {v}
connections x : [session table] bursting, {v}; [clients] from everywhere, {v}; [NAT] {v} entries, full; half-open [peers] {v}
status up : [light] <green>; [cable] <connected>; [port] is <up>; [handshake] <fine>
status down : [light] <off>; [cable] <no signal>; [port] is <down>; [handshake] <failed>; [far end] <not there>
domain person
pulse s : [heart] slow, {v}; [ticker] {v}; [chest strap] {v}, very calm; [beat] {v}
pulse l : [heart] calm, {v}; [ticker] {v}; [chest strap] {v}; [beat] at rest, {v}
pulse n : [heart] a bit up, {v}; [ticker] {v}; [chest strap] {v}; [beat] {v}
pulse c : [heart] working, {v}; [ticker] {v}; [chest strap] {v}; [beat] {v}
pulse h : [heart] pounding, {v}; [ticker] {v}; [chest strap] {v}, out of breath; [beat] {v}
steps 0 : <no step> on the [pedometer]; [feet] <still>; [foot pod] <nothing>; [soles] <not stepping>
steps l : [pedometer] slow, {v}; [feet] one by one, {v}; [foot pod] {v}; [soles] {v}
steps n : [pedometer] {v}; [feet] go {v}; [foot pod] {v}; [soles] touch {v}
steps h : [pedometer] quick, {v}; [feet] fly, {v}; [foot pod] {v}; [soles] {v}
speed 0 : [GPS] <not moving>; [track] <a single point>; [phone] says <no movement>
speed l : [GPS] hardly moving, {v}; [track] slow, {v}; [phone] says {v}
speed n : [GPS] {v}; [track] {v}; [phone] says {v}; [pod] {v}
speed h : [GPS] {v}; [track] fast, {v}; [phone] says {v}; [pod] {v}
speed c : [GPS] {v}; [track] rolling at {v}; [phone] says {v}; [handlebar computer] {v}
accel 0 : [arm] <motionless>; [watch] sees <no motion>; [wrist] <still>; [IMU] <flat>
accel l : [arm] nearly still, {v}; [watch] sees {v}; [wrist] small moves, {v}; [IMU] {v}
accel n : [arm] swings with {v}; [watch] sees {v}; [wrist] {v}; [IMU] {v}
accel h : [arm] pumping, {v}; [watch] shaken by {v}; [wrist] {v}; [IMU] {v}
accel c : [arm] on the bar, {v}; [watch] sees {v}; [wrist] {v}
posture f : [upper body] flat, {v}; [torso] lying, {v}; [back] horizontal, {v}; [chest] at {v}
posture l : [upper body] upright, {v}; [torso] {v}; [back] straight, {v}
thigh s : [legs] bent level, {v}; [leg pod] {v}; [lap] horizontal, {v}; [upper legs] {v}
thigh u : [legs] straight down, {v}; [leg pod] {v}; [upper legs] vertical, {v}
altitude n : [barometer] {v}; [level] {v}; [ground] at {v}
altitude n> : [barometer] up a bit, {a} to {b}; [level] rises {a} to {b}; floor by floor, [metres] {a} then {b}
cadence 0 : [pedals] <none>; [crank pod] <zero>; [chain ring] <not turning>
cadence c : [pedals] go round {v}; [crank pod] {v}; [chain ring] {v}; [legs] pedal {v}
light dark : [room] <dark>; [lamp] <out>; [blinds] down, <pitch black>; [bedroom] <dark>
domain elevator
position m+ : [cab] rising, {a} to {b}; [counter] runs up from {a} to {b}; [tape] {a} then {b}; [cage] from {a} to {b}
position n- : [cab] sinking, {a} to {b}; [counter] runs down from {a} to {b}; [tape] {a} then {b}; [cage] from {a} to {b}
position n : [cab] stays at {v}; [counter] at {v}; [tape] {v}; [cage] hangs at {v}
speed 0 : [rope] <not moving>; [sheave] <still>; [governor] <zero>; [cab] <not moving>
speed n : [rope] runs {v}; [sheave] turns for {v}; [governor] {v}; [cab] does {v}
load l : [cab] nearly empty, {v}; [floor sensor] {v}; [people] none, {v}
load n : [people and bags] {v}; [floor sensor] {v}; [cab] carries {v}
load n+ : [people] get in, {a} to {b}; [floor sensor] up from {a} to {b}; pallets go in, [weight] {a} then {b}; [cab] heavier, {a} to {b}
door open : [leaves] <open>; [panels] <wide open>; [entrance] <open>; [light curtain] <open>
door closed : [leaves] <shut>; [panels] <closed>; [entrance] <locked>; [light curtain] <closed>
current 0 : [winding motor] <no current>; [VVVF] <zero>; [traction] {v}
current n : [winding motor] takes {v}; [VVVF] {v}; [traction] {v}
call none : [buttons] <not pressed>; [panel] <no calls>; <nobody waiting> at the [landings]; [queue] <empty>
call pending : [buttons] <lit>; [panel] <calls waiting>; [landings] <waiting>
level floor : [sill] <flush>; [vane] <in zone>; [sensor in the shaft] <at a landing>
level between : [sill] <off, between two floors>; [vane] <out of zone>; [sensor in the shaft] <between floors>; cab [stop] is <halfway>
alarm off : [bell] <quiet>; [red button] <not pressed>; [intercom] <silent>
alarm on : [bell] <ringing>; [red button] <pressed>; somebody inside calls, [intercom] <active>; [help line] <active>
domain robot arm
speed 0 : [tool tip] <still>; [wrist] <not moving>; [flange] <at rest>; [hand] <standing>
speed n : [tool tip] travels {v}; [wrist] moves {v}; [flange] at {v}; [hand] swings over with {v}
speed nd : [tool tip] stopped dead, {a} to {b}; [wrist] from {a} to {b} in an instant; [flange] {a}, then suddenly {b}; [hand] cut from {a} to {b}
joint n : [second axis] stays at {v}; [boom] at {v}; [shoulder joint] {v}
joint n~ : [second axis] back and forth, {l} to {h}; [boom] sweeps {l} - {h}; [shoulder joint] goes between {l} and {h}
torque 0 : [servos] <no torque>; [axis drive] <off>; [second motor] <no effort>; [drives] <dead>
torque n : [servos] hold with {v}; [axis drive] {v}; [second motor] works with {v}
torque n^ : [servos] kicked to {h}, now {b}; [axis drive] jumped to {h} then {b}; [second motor] hit {h} for a moment, {b} after; [drives] spiked at {h}, {b} now
gripper c : [fingers] closed on the part, {v}; [tool gap] {v}; [claws] {v}
gripper o : [fingers] apart, {v}; [tool gap] {v}; [claws] wide, {v}
gripper m- : [fingers] closing, {a} to {b}; [tool gap] shrinks from {a} to {b}; [claws] came together, {a} then {b}; [hand] shuts, {a} to {b}
force 0 : [fingers] <no grip>; [pads] <free>; [finger pressure] {v}
force n : [fingers] squeeze {v}; [pads] hold the part with {v}; [finger pressure] {v}; [squeeze] {v}
force n+ : [fingers] squeeze harder, {a} to {b}; [pads] from {a} to {b}; [finger pressure] builds {a} to {b}; [squeeze] {a} then {b}
brake on : [stoppers] <on>; [axis locks] <engaged>; [safety brakes] <in>; [clutch] <locked>
brake off : [stoppers] <off>; [axis locks] <open>; [safety brakes] <out>; [clutch] <free>
current 0 : [servo amp] <zero>; [drive rack] <no current>; [cabinet] {v}
current n : [servo amp] {v}; [drive rack] {v}; [cabinet] {v}
current n^ : [servo amp] jumped to {h}, now {b}; [drive rack] peak {h}, then {b}; [cabinet] {h} once, {b} since
"""
