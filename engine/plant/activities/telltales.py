"""What people of the trade say of one reading of a machine: by domain, role, and the level and course that it shows. For training.

A line is `ROLE LEVEL,LEVEL : sayings`, in the marks of `sentences.py`: `[what it is called]`, `<a reading in words>`, `{v}` the last
value, `{a}` and `{b}` the first and the last, `{l}` and `{h}` the lowest and the highest, `(one|or another)`. The last saying of
each line is held out: training has none of them.
"""

MACHINES = """
domain drilling rig
wob 0 : [bit weight gauge] at <zero>; [bit] is <off bottom>; there is <nothing> on the [bit]; we carry <no weight> on the [bit]
wob n : {v} on the [bit]; driller (holds|keeps|has put) {v} [on bottom]; (leaning|sitting) on the [bit] with {v}
rpm 0 : [pipe] is <not turning>; [rotary] <stopped>; [top drive] <not rotating>; <no rotation> on the [string]; [table] <locked, no rotation>
rpm n : [pipe] turning (at|with) {v}; (we rotate|rotating) the [string] at {v}; [top drive] (spins|runs) {v}; [string] going round at {v}
flow 0 : [mud pumps] are <off>; [pumps] <shut down>; <no returns, no flow> from the [pumps]; [strokes] <zero>; [mud] <not circulating>
flow n : (pumping|we pump) {v} of [mud]; [pumps] (doing|giving|at) {v}; [mud] going down the pipe at {v}; [returns] good, {v}
spp 0 : [standpipe] <bled off>; <no pressure> on the [standpipe]; [standpipe gauge] at {v}; [mud gauge] <dead>
spp n : [standpipe] (sits|stands|steady) at {v}; {v} on the [standpipe gauge]; [pump gauge] holding {v}
rop n : (making|we make) {v} of [hole]; [bit] (advances|gets ahead) {v}; [progress] {v}, not bad; [penetration] of {v} in this sand
rop 0 : [progress] <none>; <no progress> in [hole made]; <not making> any [hole]
depth m+ : [bit] on its way down, {a} to {b}; [string] passed {a} then {b} going in; [bit] got deeper from {a} to {b}; [pipe] now down to {b}, from {a}
depth m- : [bit] coming up, {a} to {b}; [string] pulled from {a} to {b}; [bit] got shallower, {a} before and {b} now; [pipe] back up to {b}, was {a}
depth n : [bit] parked at {v}; [bit] stays at {v}; [string] hangs at {v}; [pipe] sits at {v} and does not move
depth n> : [bit] crept from {a} to {b}; [bottom] goes from {a} to {b} as we speak; [bit] a little deeper, {a} then {b}
depth n~ : [bit] (worked|moved) up and down, {l} to {h}; [string] stroked between {l} and {h}; [pipe] reciprocated {l} to {h}
hole n : [bottom] is at {v}; [hole] ends at {v}; [well] stays at {v}
hole n> : [hole] deepened from {a} to {b}; [well] grew from {a} to {b}; [bottom] moves on, {a} then {b}
block n : [blocks] (not moving|parked|hanging still) at {v}; [travelling block] stays at {v}; [blocks] stationary, {v} above the floor
block n+ : [blocks] going up, {a} to {b}; [blocks] hoisted from {a} to {b}; [hook] picked up, {a} then {b}
block n- : [blocks] coming down, {a} to {b}; [kelly] drilled down from {a} to {b}; [blocks] lower now, {b} after {a}
block n~ : [blocks] up and down between {l} and {h}; driller (works|strokes) the [blocks] {l} to {h}; [travelling block] goes {l} - {h} again and again
torque 0 : [string] has <no torque>; <no torque> on the [rotary]; [torque gauge] at {v}
torque n : [string] takes {v} to turn; [rotary] pulls {v}; {v} to keep the [pipe] turning
hook l : just the [empty hook], {v}; [hook] carries only {v}; only {v} left on the [weight indicator]; [hook] light, {v}, pipe is not on it
hook m+ : [hook] gets heavier, {a} to {b}; [weight indicator] growing from {a} to {b}; string weight on [martin decker] up {a} to {b}
hook n : {v} hanging on the [hook]; full string on the [hook], {v}; [weight indicator] {v}
hook n- : [hook] lighter stand by stand, {a} to {b}; [weight indicator] falling from {a} to {b}; [hook] {a} then {b}
slips in : [slips] are <set>; roughnecks <dropped> the [slips]; pipe hangs in the [slips], they are <in>; [slips] <closed round the pipe>
slips out : [slips] <pulled>; [slips] are <out>; [slips] <not set>
gas l,n : [gas] background {v}; mud loggers see {v} of [gas]; {v} [gas] at the shakers
domain pump
speed 0 : [shaft] is <not turning>; [motor] <dead>; [shaft] <standing still>; [coupling] <not moving>; the [impeller] <standing>
speed n : [shaft] turning at {v}; [motor] (runs|spins) at {v}; [she] is doing {v}; [coupling] goes round at {v}; [shaft] a steady {v}
speed m+ : [shaft] coming up, {a} to {b}; [motor] winding up from {a} to {b}; [drive] ramped from {a} to {b}; [shaft] was {a} a moment ago, {b} now; [she] is picking up, {a} then {b}
speed m- : [shaft] spinning down, {a} to {b}; [motor] running out, {a} then, {b} now; [drive] ramped down {a} to {b}; [shaft] still turning, {a} then, {b} now and dropping; [she] is slowing, {a} to {b}
flow 0 : <nothing> coming out of the [discharge line]; <no flow> at the [meter]; [flow meter] <flat on zero>; <not a drop> in the [line]; [delivery] <stopped>; [downstream] gets <nothing>
flow n : (moving|pushing|we get) {v} through the [line]; {v} at the [flow meter]; [meter] happy with {v}; [downstream] gets {v}
flow m+ : [line] filling up, {a} to {b}; [meter] climbing from {a} to {b}; [delivery] picks up, {a} then {b}; [downstream] gets more, {a} to {b}
flow m- : [meter] going back from {a} to {b}; [delivery] dying away, {a} to {b}; [line] giving less, {b} after {a}; [downstream] gets less and less, {a} to {b}
flow n~ : [meter] jumps {l} to {h}; [delivery] comes in gulps, {l} to {h}; [line] pulsing, {l} - {h}; [meter needle] dances from {l} to {h}
discharge 0 : [outlet gauge] on the pin, {v}; <no pressure> on the [outlet]; [outlet gauge] <dead>; [pressure side] <down to nothing>
discharge n : {v} on the [outlet gauge]; [pressure side] holds {v}; [outlet] makes {v}; [gauge after the pump] steady at {v}
discharge h : [outlet gauge] way up at {v}; (a whopping|as much as) {v} on the [outlet]; [pressure side] stuck at {v}; [gauge after the pump] far above curve, {v}
discharge m+ : [outlet gauge] building, {a} to {b}; [pressure side] coming up {a} to {b}; [outlet] from {a} to {b}
discharge m- : [outlet gauge] dropping back, {a} to {b}; [pressure side] decays {a} to {b}; [outlet] from {a} down to {b}
discharge n~ : [outlet gauge] flicks {l} to {h}; [pressure side] restless, {l} to {h}; needle on the [outlet] swings {l} - {h}
suction n : [inlet side] fine at {v}; {v} on the [suction gauge]; [suction side] has its usual {v}
suction l : [suction gauge] down at {v}; only {v} left on the [inlet side]; [suction side] starved, {v}; [inlet gauge] nearly in vacuum, {v}
current 0 : [motor] draws <nothing>; [ammeter] <at zero>; [breaker] shows <no load>; [clamp] says {v}; [motor feeder] <dead>
current n : [motor] pulls {v}; {v} on the [clamp]; [ammeter] at {v}; [motor] takes its usual {v}
current l : [motor] hardly loaded, {v}; just {v} on the [clamp]; [ammeter] low, {v}; [motor] takes only {v}, it has no work
current m : [motor] takes {v}, about half; [clamp] {v}; [ammeter] at {v}, less than usual
current m- : [motor] load going away, {a} to {b}; [ammeter] from {a} down to {b}; [clamp] {a} first, {b} later
current n+ : [motor] load coming on, {a} to {b}; [ammeter] from {a} up to {b}; [clamp] {a} first, then {b}
current n~ : [ammeter] needle shaking {l} to {h}; [motor] load comes and goes, {l} - {h}; [clamp] anything from {l} to {h}
vibration 0 : [casing] <still>; <no shaking> at the [bearing]; [housing] {v}
vibration n : [bearing] smooth, {v}; [housing] shakes the usual {v}; {v} at the [bearing pen]; [casing] feels fine, {v}
vibration h : [casing] rattles, {v}; [whole pump] shaking at {v}; [bearing] rough, {v}; [baseplate] jumps, {v} on the pen
temp n : [casing] lukewarm, {v}; [bearing] at {v}; [housing] hand warm, {v}
temp h+ : [casing] getting hot, {a} to {b}; [seal] cooking, {a} then {b}; [housing] too hot to touch, {b}, it was {a}; [bearing cap] up from {a} to {b}
temp n+ : [casing] warms up, {a} to {b}; [housing] from {a} to {b}; [water inside] warmer, {b} after {a}
noise n : [sound] normal, {v}; {v} on the [sound meter]; [hum] as ever, {v}
noise h : sounds like (gravel|marbles|stones), {v} on the [sound meter]; [racket] of {v}; [crackling] at {v}
valve open : [discharge gate] <open>; somebody left the [outlet tap] <open>; [valve behind it] is <open>
valve closed : [discharge gate] <shut>; somebody (closed|forgot) the [outlet tap], it is <closed>; [valve behind it] <fully shut>; [hand wheel at the outlet] <screwed down>
domain compressor
current 0 : [motor] draws <nothing>; [ammeter] <at zero>; [main motor] <dead>; [supply] shows <no load>
current n : [motor] pulls {v}; [ammeter] at its usual {v}; [main motor] working at {v}; [feeder] loaded with {v}
current l : [motor] hardly loaded, {v}; only {v} on the [ammeter]; [main motor] loafing at {v}; [feeder] almost unloaded, {v}
current n+ : [motor] load comes on, {a} to {b}; [ammeter] up from {a} to {b}; [main motor] from {a} to {b}
current n~ : [ammeter] swings {l} to {h}; [motor] load (goes back and forth|see-saws) {l} - {h}; [main motor] {l} one second, {h} the next
pressure n : [net] holds {v}; {v} in the [receiver]; [vessel gauge] {v}
pressure n+ : [net] pumping up, {a} to {b}; [receiver] gets fuller, {a} to {b}; [vessel gauge] up, {a} then {b}; [ring main] going up from {a} to {b}
pressure n- : [net] bleeding down, {a} to {b}; [receiver] sinks from {a} to {b}; [vessel gauge] {a}, then {b}; [ring main] goes down, {a} to {b}, nobody feeds it
pressure m+ : [net] builds from {a} to {b}; [receiver] from {a} to {b}; [vessel gauge] {a} and now {b}
pressure n~ : [net] pumping back and forth, {l} to {h}; [vessel gauge] swings {l} - {h}; [outlet gauge] bangs between {l} and {h}; [line] kicks, {l} up to {h}
flow 0 : <no air> into the [net]; [air meter] <at zero>; the [plant] gets <nothing>; <no delivery> at the [outlet]
flow n : {v} of [air] into the net; [air meter] {v}; [plant] gets {v}; [outlet] delivers {v}
flow l+ : [air meter] starts to move, {a} to {b}; first [air] comes, {a} to {b}; [outlet] from {a} to {b}
flow n~ : [air] goes forward and back, {l} to {h}; [air meter] jumps {l} - {h}; [outlet] breathes between {l} and {h}; [stream] flips {l} to {h}
speed 0 : [rotor] <standing>; [shaft] is <not turning>; [airend] <at rest>; [coupling] <not moving>
speed n : [rotor] turns at {v}; [shaft] does {v}; [airend] spins along at {v}; [machine] keeps {v}
speed m+ : [rotor] spooling up, {a} to {b}; [shaft] coming up from {a} to {b}; [airend] winding up, {a} then {b}; [machine] picks up, {a} to {b}
oil n : [oil] at {v}; [screw] warm, {v}; [lube] fine with {v}
oil l : [oil] cold, {v}; [sump] only {v}; [lube] at {v}, stone cold
oil l+ : [oil] warming, {a} to {b}; [sump] from {a} to {b}; [lube] {a}, now {b}
oil h+ : [oil] running hot, {a} to {b}; [screw] far too hot, {b} after {a}; [sump] climbs past {a} to {b}; [lube] boiling nearly, {a} then {b}
vibration 0 : [casing] <still>; <no shaking> on the [frame]; [skid] {v}
vibration n : [casing] smooth, {v}; [frame] shakes {v} as ever; {v} at the [skid]
vibration h : [frame] thumping, {v}; [casing] hammers at {v}; whole [skid] bangs, {v}; [foundation] shudders with {v}
inlet open : [intake] <open>; [intake butterfly] <wide open>; [suction throttle] <open>; [intake flap] is <open>
inlet closed : [intake] <shut>; [intake butterfly] <closed>; [suction throttle] <closed>; [intake flap] has <gone shut>
domain CNC machine
spindle 0 : [spindle] <stopped>; [chuck] <not turning>; [cutter] <stands still>; [main drive] <zero>; [tool] <not rotating>
spindle n : [spindle] at {v}; [chuck] spinning {v}; [cutter] turns {v}; [tool] whirls at {v}
load 0 : <no load> on the [spindle meter]; [load bar] <empty>; [meter] at {v}; [bar graph] <zero>
load l : [load bar] hardly moves, {v}; [spindle meter] just {v}; [tool] touches nothing, {v} on the bar; [bar graph] only {v}
load n : [load bar] at {v}; [spindle meter] a good {v}; [tool] works with {v}; [bar graph] around {v}
load n^ : [load bar] shot up to {h} and fell to {b}; [spindle meter] (banged|kicked) to {h} once, {b} now; [tool] hit {h} for an instant, then {b}; [bar graph] spike {h}, after that {b}
feed 0 : <no feed> on the [axes]; [override] shows {v}; [table] <not feeding>; [F word] <zero>
feed n : [table] feeds {v}; [tool] goes through with {v}; [F] {v} programmed and real; [path] advancing {v}
axis 0 : [slides] <not moving>; [axes] <still>; [table] <standing>
axis n : [slides] moving {v}; [axes] at {v}; [table] travels {v}
axis h : [slides] (racing|flying) at {v}; [axes] on rapids, {v}; [table] shoots over with {v}; [gantry] dashes at {v}
power 0 : [drive] takes <nothing>; [power meter] {v}; [main drive] <no draw>
power l : [drive] takes only {v}; [power meter] low, {v}; [main drive] sips {v}
power n : [drive] pulls {v}; [power meter] {v}; [main drive] takes {v}
power n^ : [drive] kicked to {h}, now {b}; [power meter] jumped to {h} then {b}; [main drive] had one stroke of {h}, {b} after
vibration 0 : [head] <quiet>; [tool holder] <still>; [column] {v}
vibration l : [head] quiet, {v}; [tool holder] barely hums, {v}; [column] smooth, {v}
vibration n : [head] hums {v}; [tool holder] at {v}; [column] the usual {v}
vibration h^ : [head] gave a bang of {h}, {b} now; [tool holder] cracked at {h}, {b} since; [column] jerked to {h} then {b}; a crack, [accelerometer] {h}, afterwards {b}
temp l : [head] cold, {v}; [headstock] at room temperature, {v}; [nose] {v}
temp n : [head] warm, {v}; [headstock] {v}; [nose] at {v}
temp l+ : [head] warming slowly, {a} to {b}; [headstock] from {a} to {b}; [nose] {a} first, {b} now; [castings] get warm, {a} to {b}
changer active : [arm] <swinging>; [chain] <turning>; [tool arm] is <in motion>; [pot] <swapping>
changer idle : [arm] <home>; [chain] <parked>; [tool arm] <at rest>; [pot] <not moving>
coolant on : [suds] <running>; [coolant tap] <on>; [soup] is <flowing>
coolant off : [suds] <off>; [coolant tap] <shut>; <dry, no> [soup]
domain wind turbine
wind l : hardly a breath, [air] {v}; [anemometer cup] just {v}; [breeze] of {v}, too little; [air up there] almost calm, {v}
wind n : [breeze] of {v}; [anemometer cup] {v}; nice [air], {v}; [air up there] {v}
wind h : it blows hard, [gusts] {v}; [anemometer cup] {v}, strong; [breeze] stiff, {v}; [air up there] a good {v}
wind s : (a gale|a storm|it howls), [gusts] of {v}; [anemometer cup] at {v}, crazy; [blow] with {v}; [air up there] raging, {v}
power 0 : <nothing> to the [grid]; [feed-in] <zero>; [generator] <not producing>; [meter] {v}; [export] <none>
power n : {v} into the [grid]; [feed-in] of {v}; [generator] makes {v}; [meter] {v}; [export] {v}
power h : (flat out|maximum), {v} into the [grid]; [feed-in] at its top, {v}; [generator] full, {v}; [meter] pegged at {v}; [export] tops out at {v}
rotor 0 : [blades] <not turning>; [rotor head] <fixed>; [wheel] <standing>; [hub] <not moving>
rotor l : [blades] trundle at {v}; [rotor head] just drifting, {v}; [wheel] turning lazily, {v}; [hub] creeps at {v}
rotor n : [blades] go round at {v}; [rotor head] {v}; [wheel] makes {v}; [hub] at {v}
rotor h : [blades] at their top, {v}; [rotor head] fast, {v}; [wheel] spins at {v}; [hub] at {v}, the maximum
pitch n : [blades] flat into the wind, {v}; [vanes] at {v}, fine; [blade feet] at {v}
pitch h : [blades] spill some wind at {v}; [vanes] turned to {v}; [blade feet] work at {v}; [pitch drives] hold {v}
pitch s : [blades] feathered, {v}; [vanes] turned right out, {v}; [blade feet] on the stop at {v}; [pitch drives] parked at {v}
lock locked : [pin] is <in>; [rotor pin] <inserted>; [lock-out] <on>; [bolt] <locked>
lock free : [pin] <out>; [rotor pin] <withdrawn>; [lock-out] <off>
yaw n : [nose] points to {v}; [head] at {v}; [cabin] looks to {v}
domain conveyor
belt 0 : [belt line] is <standing>; [rubber] <not moving>; [tail drum] <not turning>; [strip] <standing>
belt n : [rubber] runs at {v}; [belt line] moves {v}; [tail drum] goes {v}; [strip] at {v}
belt l : [rubber] hardly crawls, {v}; [belt line] only {v}; [tail drum] nearly stopped, {v}; [strip] lags at {v}
drive 0 : [head drum] <not turning>; [gearbox] <at rest>; [motor side] {v}
drive n : [head drum] spins at {v}; [gearbox] does {v}; [motor side] {v} as commanded; [lagging] races at {v}
current 0 : [motor] <no draw>; [ammeter] <zero>; [feeder] <dead>; [MCC] shows {v}
current l : [motor] takes only {v}; [ammeter] low, {v}; [feeder] lightly loaded with {v}; [MCC] just {v}
current n : [motor] pulls {v}; [ammeter] at {v}; [feeder] {v}; [MCC] shows {v}, normal
current h : [motor] screaming at {v}; [ammeter] off the scale, {v}; [feeder] far over nameplate, {v}; [MCC] {v}, about to trip
load 0 : <no material> on the [scale]; [scale] <empty>; <nothing> on the [belt]; [weigh bridge] {v}; [chute] gives <nothing>
load n : {v} over the [scale]; [scale] has {v}; (coal|ore|gravel|grain) {v} on the [belt]; [weigh bridge] {v}
load m : [scale] only half, {v}; {v} lying on the [belt]; [weigh bridge] {v}
temp n : [drum] warm, {v}; [gear] at {v}; [motor skin] {v}
temp n+ : [drum] warming, {a} to {b}; [gear] from {a} to {b}; [motor skin] {a}, then {b}
temp h+ : [drum] smoking, {a} to {b}; smell of rubber, [lagging] {a} then {b}; [pulley skin] hot, from {a} to {b}
slip l : [grip] good, {v} lost; [difference] just {v}; [drum to belt] {v}
slip h : [difference] between drum and belt {v}; [grip] gone, {v} lost; [drum to belt] as bad as {v}; [creep] an ugly {v}
"""
