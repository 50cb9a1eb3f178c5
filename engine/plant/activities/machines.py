"""Domains of rotating and moving machines, in the form of `vocabulary.parse`."""

MACHINES = """
domain drilling rig : rig; land rig; drill rig; jack-up rig; drilling unit; well site || drillship; workover rig
role wob weight 4..25 : WOB; weight on bit; bit weight; SWOB; wob_avg; bit load || weight at the bit; load on bit
role rpm turns 60..180 : rotary speed; RPM; string rpm; top drive rpm; rotary; table speed; TD rpm || surface rotation; pipe rpm
role flow flow 60..220 : flow in; mud flow; pump rate; flow rate; mudflow in; FLOWIN; flow || circulation rate; drilling fluid flow
role spp pressure 80..300 : standpipe pressure; SPP; pump pressure; stand pipe press; mud pressure || SPPA; circulating pressure
role hook weight 70..240 : hookload; hook load; HKLD; WOH; weight on hook; string weight || hook weight; HL
role block length 3..35 : block position; block height; BPOS; travelling block; hook height; BLKHT || top drive position; block pos.
role depth length 600..5200 : bit depth; DBIT; bit position; DEPTBIT; bit depth MD || depth of bit; bit MD
role hole length 900..5400 : hole depth; total depth; DMEA; TD; well depth || bottom depth; measured hole depth
role rop rate 4..45 : ROP; rate of penetration; drilling rate; ROPA; penetration rate || drill speed; ROP 5 ft
role torque torque 6000..28000 : torque; surface torque; rotary torque; TQA; top drive torque; TRQ || string torque; STOR
role slips state in=in/set/closed/1 out=out/open/0 : slips; slip status; slips status || slips sensor
role gas share l=0.1..3 n=0.2..4 : total gas; gas; TGAS || gas reading
act drilling | making hole; drilling ahead; on bottom drilling; rotary drilling : *wob n, rpm n, flow n, spp n, *rop n, depth n>, hole n>, block n-, torque n, hook n, slips out
act tripping in | running in hole; RIH; run in; going in hole : wob 0, *rpm 0, *flow 0, spp 0, *depth m+, hole n, block n~, hook m+, torque 0, rop 0
act tripping out | pulling out of hole; POOH; pull out; coming out of hole : wob 0, *rpm 0, *flow 0, spp 0, *depth m-, hole n, block n~, hook n-, torque 0, rop 0
act circulating | circulation; circulating bottoms up; conditioning mud; hole cleaning : *wob 0, *rpm 0, *flow n, spp n, *block n, depth n, hook n, torque 0, rop 0, slips out
act making a connection | connection; adding a stand; pipe connection : wob 0, *rpm 0, *flow 0, spp 0, *hook l, *slips in, depth n, rop 0, torque 0, block n+
act reaming | back reaming; wash and ream; washing and reaming : *wob 0, *rpm n, *flow n, spp n, *block n~, torque n, depth n~, hook n, rop 0
act idle | waiting; no operation; rig idle; standby : *wob 0, *rpm 0, *flow 0, spp 0, *depth n, *block n, hook n, torque 0, rop 0, slips out

domain pump : centrifugal pump; feed pump; transfer pump; booster pump; cooling water pump; process pump || slurry pump; circulator
role speed turns 900..3000 : speed; pump speed; motor speed; shaft speed; rpm; SI-speed || rotational speed; drive rpm
role flow flow 8..600 : flow; discharge flow; flow rate; FI-flow; delivery; Q || pumped volume; pumped flow
role suction pressure 0.8..3 : suction pressure; inlet pressure; PT suction; suction press; P1; P_in || intake pressure; inlet head
role discharge pressure 3..20 : discharge pressure; outlet pressure; delivery pressure; PT discharge; P2; P_out || head pressure; output pressure
role current current 8..220 : motor current; current; amps; motor amps; II-motor; drive current || stator current; amp draw
role vibration vibration l=0.6..2.2 n=1.0..2.8 h=7..18 : vibration; pump vibration; bearing vibration; VT-bearing; vib rms || housing vibration; vib level
role temp temperature n=28..55 h=78..130 : pump temperature; casing temperature; bearing temp; TT-casing; seal temperature || housing temperature; volute temperature
role noise sound n=68..80 h=88..104 : noise; noise level; sound level || acoustic level
role valve state open=open/100_%/1 closed=closed/shut/0_%/0 : discharge valve; outlet valve; delivery valve || isolation valve
act pumping | normal operation; running normally; steady operation; in service; delivering : *speed n, *flow n, *discharge n, suction n, current n, *vibration n, temp n, noise n, valve open
act off | stopped; not running; standstill; switched off : *speed 0, *flow 0, discharge 0, suction n, *current 0, vibration 0, temp n
act starting up | start; start-up; run-up; ramping up; speeding up : *speed m+, *flow m+, discharge m+, suction n, current n+, vibration n, temp n
act shutting down | stopping; run-down; shutdown; coasting down; ramping down : *speed m-, *flow m-, discharge m-, suction n, current m-, vibration n, temp n
act cavitating | cavitation; suction starvation : *speed n, *flow n~, discharge n~, *suction l, current n~, *vibration h, noise h, temp n
act running dry | dry running; loss of prime; dry run; no liquid : *speed n, *flow 0, *discharge 0, suction l, *current l, vibration h, *temp h+
act blocked outlet | dead-headed; deadheading; closed discharge; shut-in; blocked discharge : *speed n, *flow 0, *discharge h, suction n, current m, vibration n, temp n+, *valve closed

domain compressor : screw compressor; air compressor; gas compressor; piston compressor; turbo compressor || compressed air plant; reciprocating compressor
role current current 20..260 : motor current; current; amps; drive current; motor amps || main motor current; stator amps
role pressure pressure 6..12 : discharge pressure; line pressure; network pressure; tank pressure; header pressure; outlet pressure || system pressure; receiver pressure
role flow air_flow 200..4500 : delivery; air flow; flow; free air delivery; FAD; outlet flow || compressed volume; delivered air
role speed turns 1200..9000 : speed; rotor speed; motor speed; rpm || shaft rpm; airend speed
role oil temperature n=70..88 h=108..130 l=20..40 : oil temperature; oil temp; element temperature; discharge temperature; T oil || airend temperature; lube oil temp
role vibration vibration n=1.2..3 h=9..22 : vibration; casing vibration; bearing vibration; vib || rotor vibration; vib velocity
role inlet state open=open/loaded/1 closed=closed/unloaded/0 : inlet valve; intake valve; load valve || suction valve; inlet guide vane
act loaded | on load; delivering; running loaded; full load : *current n, *pressure n+, *flow n, speed n, oil n, vibration n, *inlet open
act unloaded | off load; running unloaded; no-load running; idling : *current l, *pressure n-, *flow 0, *speed n, oil n, vibration n, *inlet closed
act off | stopped; switched off; standstill; not running : *current 0, pressure n, *flow 0, *speed 0, oil l, vibration 0
act starting up | start-up; start; run-up; ramping up : *current n+, pressure m+, *speed m+, flow l+, oil l+, vibration n
act surging | surge; flow reversal; compressor surge : *current n~, *pressure n~, *flow n~, speed n, oil n, *vibration h
act overheating | too hot; over-temperature; high temperature : *current n, pressure n, flow n, speed n, *oil h+, vibration n, inlet open

domain CNC machine : milling machine; machining centre; lathe; CNC mill; turning centre; mill || router; 5-axis centre
role spindle turns 1500..14000 : spindle speed; spindle rpm; S; spindle; n_spindle || tool revolutions; main spindle
role load share l=3..9 n=28..75 h=110..160 : spindle load; load; spindle torque; S load; load meter || spindle utilisation; cutting load
role feed feed 200..3500 : feed rate; feed; F; axis feed; path feed || programmed feed; feedrate
role axis feed n=200..3000 h=14000..42000 : axis speed; axis velocity; X velocity; rapid speed; traverse speed || table velocity; Y axis speed
role power power 2..16 : spindle power; power; drive power; active power || machine power; cutting power
role vibration vibration l=0.3..1 n=1.2..3.5 h=11..28 : vibration; spindle vibration; tool vibration; vib rms || chatter level; head vibration
role temp temperature l=20..25 n=30..46 : spindle temperature; spindle temp; head temperature; T spindle || bearing temperature; headstock temperature
role changer state active=active/rotating/busy/1 idle=idle/0/home : tool changer; ATC; magazine; changer || carousel; turret
role coolant state on=on/1/flowing off=off/0 : coolant; cutting fluid; emulsion || flood coolant
act cutting | machining; milling; in cut; turning : *spindle n, *load n, *feed n, axis n, power n, vibration n, temp n, coolant on, changer idle
act rapid positioning | rapid traverse; positioning; G0 move; rapid move : spindle n, *load l, feed 0, *axis h, power l, vibration l, temp n, changer idle
act tool change | changing tool; ATC cycle; M6 : *spindle 0, *load 0, *feed 0, axis 0, power l, *changer active, coolant off, temp n
act warming up | warm-up; spindle warm-up; warm up cycle : *spindle n, *load l, *feed 0, axis 0, power l, *temp l+, vibration l, changer idle, coolant off
act idle | waiting; ready; standby; waiting for operator : *spindle 0, *load 0, *feed 0, axis 0, power 0, vibration 0, temp l, *changer idle, coolant off
act tool breakage | broken tool; tool broke; tool failure : *spindle n, *load n^, *feed n, *vibration h^, power n^, temp n, coolant on

domain wind turbine : turbine; wind power plant; WTG; onshore turbine; wind generator || offshore turbine; windmill
role wind wind_velocity l=0.5..2.4 n=5..10 h=13.5..20 s=27..36 : wind speed; wind; anemometer; nacelle wind; v_wind || wind velocity; hub height wind
role power power n=200..1500 h=2000..5000 0=0..0 : power; active power; output; generator power; P_el || electric output; grid power
role rotor turns 0=0..0 l=0.2..1.5 n=8..15 h=14..19 : rotor speed; rotor; rotor rpm; blade speed || hub rpm; main shaft speed
role pitch angle n=-1..2 h=8..20 s=82..90 : pitch angle; blade pitch; pitch; blade angle || pitch position; blade 1 angle
role lock state locked=locked/engaged/1 free=free/released/0 : rotor lock; brake; rotor brake || locking pin; shaft lock
role yaw angle n=10..350 : nacelle direction; yaw; yaw angle; nacelle position || nacelle azimuth; yaw position
act generating | producing; part load; partial load; normal production : *wind n, *power n, rotor n, *pitch n, lock free, yaw n
act rated power | full load; rated output; nominal power; full production : *wind h, *power h, rotor h, *pitch h, lock free, yaw n
act waiting for wind | no wind; idling; low wind; below cut-in : *wind l, *power 0, rotor l, lock free, yaw n
act storm shutdown | high wind shutdown; storm; cut-out; above cut-out : *wind s, *power 0, rotor l, *pitch s, yaw n
act stopped for service | maintenance; service; locked for service; under repair : *wind n, *power 0, *rotor 0, pitch s, *lock locked, yaw n

domain conveyor : belt conveyor; belt; conveyor line; transport belt; bulk conveyor || overland conveyor; feeder belt
role belt slow_velocity 0.4..4 : belt speed; belt; belt velocity; tail speed; tail pulley speed || strip speed; running speed
role drive slow_velocity 0.4..4 : drive speed; drive pulley speed; head pulley speed; motor speed equivalent || pulley surface speed; head drum velocity
role current current l=4..16 n=30..90 h=140..260 : motor current; current; drive current; amps; M1 current || gearmotor current; drive amps
role load mass_flow 40..900 : mass flow; load; throughput; belt scale; tonnage || material flow; weigher
role temp temperature n=35..58 h=80..115 : pulley temperature; drive temperature; motor temp; lagging temperature || drum temperature; gearbox temp
role slip share l=0..2 h=25..80 : slip; belt slip; slippage || speed difference; slip ratio
act running loaded | loaded; transporting; conveying; in production : *belt n, drive n, *current n, *load n, temp n, slip l
act running empty | empty; running without load; no material; idle running : *belt n, drive n, *current l, *load 0, temp n, slip l
act stopped | standstill; off; not running; halted : *belt 0, drive 0, *current 0, load 0, temp n
act jammed | blocked; stalled; jam; seized : *belt 0, *current h, load m, temp n+, drive 0
act belt slipping | slipping; slippage; belt slip : *belt l, *drive n, current n, *slip h, temp h+, load m
"""
