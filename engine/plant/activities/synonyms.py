"""More names for the rule base's channels and machines, as people of many trades write them; examples that are held out use none of them.

A line is `DOMAIN / ROLE : names`, or `DOMAIN : names` for what the machine itself is called. No name here is one that is held out.
"""

from functools import cache

from engine.plant.activities.callings import parse_callings

MORE = """
drilling rig : rig 12; floor; semi-sub; offshore rig; driller's cabin; the rig floor; mast; derrick; platform rig; exploration well; geothermal rig; well
drilling rig / wob : bit force; load on the bit; weight bit; W.O.B.; WOB klb; downhole weight; drilling weight; weight applied; bitweight; axial load; thrust on bit
drilling rig / rpm : rotation; string rotation; rotary RPM; pipe rotation; revs; revs at surface; top drive; TDS speed; kelly speed; string turning; rotary table; drillstring speed
drilling rig / flow : mud in; pumps; flow-in; total pump output; pump flow; mud rate; circulating flow; mud pumps; GPM in; flow to well; strokes flow; mud volume rate
drilling rig / spp : standpipe; stand pipe; SP pressure; pump press; mud press; pressure on the standpipe; SPP gauge; pressure at pumps; standpipe psi; system pressure mud
drilling rig / hook : hook weight indicator; string load; Hkld; load on hook; weight indicator; martin decker; hanging weight; suspended weight; weight of string; load at hook
drilling rig / block : blocks; travelling assembly; height of the block; hook position; block elevation; TB position; top drive height; elevator height; kelly height
drilling rig / depth : bit at; bit position MD; bit; depth bit; position of the bit; bit depth measured; pipe depth; string depth; current bit depth; bit MD depth
drilling rig / hole : hole; well bottom; hole TD; bottom; bottomhole depth; hole MD; depth of hole; drilled depth; depth total; end of hole
drilling rig / rop : drill rate; progress; penetration; advance rate; rate of pen; drilling speed; ROP avg; rop inst; advance; meters per hour made; rate drilled
drilling rig / torque : TQ; rotary tq; TDS torque; torque at surface; string twist; top drive moment; torq; torque rotary table; pipe torque
drilling rig / slips : slips on rotary; slip state; power slips; slips engaged flag; pipe slips; slips indicator; slip signal; slips set?
drilling rig / gas : gas total; background gas; gas in mud; gas units; hydrocarbon gas; C1-C5; mud gas; gas trap
pump : water pump; P-101; pump set; boiler feed pump; sewage pump; irrigation pump; lift pump; injection pump; oil pump; dosing pump; circulation pump; pump unit; our pump; pump skid; fire pump; sump pump; condensate pump; well pump; pump 3
pump / speed : rpm of the pump; shaft rpm; shaft; rotation; n; impeller speed; motor rpm; VFD speed; revolutions; pump rpm; running speed; spin; revs; tacho
pump / flow : flowmeter; flow out; output flow; flow at outlet; through-flow; delivered flow; volumetric flow; pump flow; water flow; discharge rate; flow meter; litres; capacity; delivery rate; FT-201; throughput
pump / suction : suction side; suction; pressure before the pump; upstream pressure; inlet press; suction gauge; suct press; pressure in; inlet side; low side; NPSH side; entry pressure
pump / discharge : discharge; discharge side; outlet press; pressure after the pump; downstream pressure; delivery press; pressure out; discharge gauge; disch press; outlet side; outgoing pressure; pump pressure
pump / current : amps drawn; motor draw; motor load current; amperage; drive amps; current drawn; motor ampere; I motor; phase current; ammeter; electric current; L1 current
pump / vibration : vibes; vib; shaking; vibration DE; bearing vib; pump vib; casing vibration; velocity rms; vibration sensor; accelerometer; vibration reading; vib on the bearing
pump / temp : bearing; body temperature; casing temp; temp on the casing; pump body; bearing temperature DE; temperature; seal temp; heat at the seal; pump temp; skin temp; thermometer
pump / noise : sound; loudness; dB meter; noise at the pump; acoustic; sound pressure; noise dB; microphone
pump / valve : outlet valve position; discharge valve state; valve after the pump; valve downstream; gate valve; V-102; shutoff valve; valve; block valve; discharge gate
compressor : compressor 2; screw machine; air station; compressed air; rotary screw; piston machine; nitrogen compressor; booster compressor; K-201; plant air compressor; compressor unit; workshop compressor; centrifugal compressor
compressor / current : drive motor amps; amperage; motor draw; current drawn; ammeter; electric load; motor ampere; amp reading; I motor; phase current
compressor / pressure : net pressure; air pressure; pressure in the line; delivery pressure; output pressure; air net; PT-30; final pressure; pressure at outlet; plant air pressure; vessel pressure; discharge press; pressure
compressor / flow : air delivered; air output; volume flow; air delivery; output; flow of air; airflow; delivered volume; delivered flow; volumetric output; free air; flow to the net
compressor / speed : drive speed; screw speed; element speed; shaft speed; male rotor rpm; impeller rpm; revs; VSD speed; shaft; motor rpm; rotation
compressor / oil : oil; lube temperature; oil sump temp; temp of the oil; outlet temperature; temperature at the element; air end temp; screw temperature; lubricant temperature; oil circuit; compression temperature
compressor / vibration : vibes; shaking; vibration level; vib rms; vibration on casing; vib sensor; machine vibration; bearing vib; shock level
compressor / inlet : intake; inlet throttle; inlet regulator; suction regulator; load solenoid; unloader; intake flap; inlet; load/unload valve
CNC machine : CNC; VMC; machine 7; mill 3; milling centre; turn-mill; lathe 2; gantry mill; drill-tap centre; HMC; machine tool; the mill; CNC lathe; milling cell; DMU
CNC machine / spindle : spindle revs; spindle rotation; spindle revolutions; tool rpm; tool speed; S actual; rev/min of spindle; SPDL; spindle turning; cutter rpm; S-value; spindle RPM act
CNC machine / load : load on spindle; spindle load meter; spindle effort; torque on the spindle; spindle motor load; S-load; load %; spindle current share; machining load; drive load
CNC machine / feed : F value; feed actual; feed path; cutting feed; work feed; feed speed; tool feed; feeding; F act; contour feed; feed in cut; table feed
CNC machine / axis : axes; axis motion; X feed; rapid; slide speed; X/Y motion; axis travel speed; rapid rate; traverse; head travel; axis velocity X; gantry speed
CNC machine / power : power draw; motor power; spindle kW; spindle motor power; electrical power; kW at spindle; drive kW; consumption; machine kW
CNC machine / vibration : vib; vibration at the head; chatter; accelerometer head; shaking; vib spindle; spindle vib; noise vibration; vib sensor at tool; vibration rms
CNC machine / temp : temp at spindle; spindle bearing; head temp; spindle heat; nose temperature; temperature of the head; spindle housing; temp; thermometer spindle
CNC machine / changer : toolchanger; tool magazine; tool arm; change arm; ATC arm; toolchange; magazine state; tool carrier; chain magazine
CNC machine / coolant : coolant pump; cooling lubricant; KSS; coolant flow; coolant valve; mist; through-tool coolant; emulsion pump; cutting oil
wind turbine : WEA; WT-07; wind mill 4; turbine T12; wind energy converter; turbine 3 of the park; wind power unit; WEC; our turbine; wind farm unit; V90; nacelle
wind turbine / wind : wind at hub; wind m/s; gusts; wind at nacelle; air speed; wind reading; nacelle anemometer; v wind; wind force; breeze; hub wind; incoming wind; avg wind
wind turbine / power : generated power; output power; power output; produced power; feed-in; kW out; grid feed; generation; yield; electrical power; production; output kW; P active
wind turbine / rotor : rotor revs; rotor revolutions; blades; blades turning; rotor rotation; main rotor; rotation; low speed shaft; rotor turn rate; LSS
wind turbine / pitch : blades pitch; blade setting; pitch blade A; blade position; blade pitch angle; pitching; angle of the blades; pitch pos; blade feather angle; collective pitch
wind turbine / lock : rotor locked?; lock; mechanical lock; rotor pin; locking bolt; brake disc; parking brake; service lock; lock state; rotor lock bolt
wind turbine / yaw : nacelle heading; direction of nacelle; yaw heading; nacelle points to; orientation; yaw deg; heading; nacelle; yaw pos
conveyor : belt 4; line 2 belt; coal conveyor; roller conveyor; sorting belt; ore belt; gravel belt; conveyor C-12; incline conveyor; baggage belt; packing line belt; transport line; BC-03; sand belt
conveyor / belt : belt moving at; speed of the belt; band speed; tail drum speed; belt run; actual belt speed; belt tacho; tail pulley; belt travel; conveyor speed; tail roller
conveyor / drive : head pulley; head roller speed; motor pulley speed; drive drum; driven pulley; drive roller; head drum; drum surface speed; driver pulley speed; drive
conveyor / current : motor draw; amperage; motor ampere; drive motor amps; current drawn; motor amps; phase current; electric current; ammeter; belt motor current
conveyor / load : belt weigher; tonnage rate; material; material on belt; tons per hour; feed rate; scale; belt load; loading; weigh scale; throughput; ore flow; flow of material; conveyed
conveyor / temp : temperature at drive; motor temperature; gear temp; heat at pulley; pulley temp; bearing temp; head pulley temperature; drive drum temp; thermometer; temp
conveyor / slip : slip between drum and belt; slip percent; belt creep; speed loss; slip monitor; creep; drum slip; slip rate; lost speed
air handler : AHU-3; ventilation; ventilation system; air unit; HVAC; RTU; make-up air unit; central air; ventilator unit; RLT; office ventilation; air con unit; AC unit; AHU roof; building ventilation; lab AHU
air handler / fan : fan rate; fan %; fan drive; fan command; supply ventilator speed; VFD; fan VFD; fan motor; fan level; supply fan speed; vent; fan control; main fan
air handler / flow : air; supply flow; air quantity; CFM; supply air volume; air flow rate; total air; volume of air; delivered flow; air moved; flow
air handler / heat : heating; heating valve position; heat valve; heating signal; heater; hot water coil; HW valve; heating command; heat coil; heat demand; heating %; radiator valve; Y-heat
air handler / cool : cooling; cooling valve position; cool valve; cooling signal; chilled water; CW valve; cooling command; cold coil; cool demand; cooling %; cooler valve; Y-cool; DX stage
air handler / supply : supply air; air to rooms; blown air; T supply; air temp after coil; discharge temp; supply; supply T; temp supply air; air off coil; leaving air temp; LAT; supply duct temp
air handler / room : room; room air; indoor temperature; office temp; T room; inside; indoor temp; zone; hall temp; temp in the room; return air; extract air temp; indoors
air handler / outside : outside; outdoors; ambient; outdoor temperature; T out; outside air temp; weather temp; external temperature; OA temp; outer temp; temp outside; fresh air temp
air handler / filter : filter; filter pressure; filter loss; pressure across filter; filter dirt; drop over filter; dp over the filter; filter Pa; filter stage 1; F7 filter dp; filter press drop
furnace : furnace 2; oven 4; batch oven; pizza oven; chamber furnace; hearth; tunnel kiln; muffle; melting furnace; reheating furnace; heat treat oven; vacuum furnace; glass kiln; pottery kiln; curing oven; bakery oven
furnace / temp : actual temperature; temp inside; furnace temp; TC; thermocouple; chamber; kiln temp; oven temp; PV; process value; T actual; inside; zone temp; temperature inside the chamber; heat inside
furnace / set : SV; set; target; wanted temperature; set value; set point; T set; programmed temp; target temp; goal; ramp target; SP temp
furnace / power : heaters; elements; heating; heater %; burner output; output; gas; burner level; heating power; SCR output; elements at; electric heating; OP; heat output
furnace / door : door switch; front door; kiln door; oven door; door contact; lid; loading door; the door; door state; flap
furnace / fan : circ fan; air circulation; circulating fan; fan motor; fan circulating; ventilator; stirring fan; hot air fan
battery : BESS; battery rack; pack; ESS; home battery; traction battery; UPS; powerwall; Li-ion pack; cells; storage; battery container; 48 V battery; forklift battery; battery string; e-bike battery; accu
battery / soc : SoC; state-of-charge; charge state; fill; percent charged; charge %; remaining; energy left; battery %; charged to; gauge; battery percentage; level
battery / current : charging current; current in; amps in; charger current; I in; amps from charger; charging amps; I chg; charge amps; incoming current; current from the charger
battery / draw : discharging current; current out; amps out; I out; amps to load; load amps; I dis; drawn current; consumer current; discharge amps; current to the inverter; load draw
battery / voltage : volts; V pack; pack volts; bus voltage; U; string voltage; Vbat; voltage at terminals; battery volts; DC voltage; total voltage; U pack
battery / temp : cell temp; pack temperature; T max; T cell; temp of cells; temperature; cells temperature; battery temp; max temp; cell temp max; BMS temp; temp
tank : T-5; tank 3; water tower; cistern; oil tank; drum tank; process vessel; rain water tank; milk tank; chemical tank; settling tank; basin; acid tank; holding tank; batch tank; header tank; diesel tank; container
tank / level : filled; level sensor; contents; content; fill; filling; tank full %; level gauge; LT-100; volume; level reading; how full; fill percent; height of liquid; gauge; level transmitter; liquid level
tank / inflow : in; flow into the tank; filling flow; feed; pump in; flow to tank; inlet; flow inlet; incoming; feed line; inflow rate; filling pump flow; inlet meter; supply
tank / outflow : out; flow out of the tank; draining flow; drain; off-take; drawn off; consumption; flow outlet; outgoing; draw; outflow rate; outlet meter; outlet; discharge flow
tank / invalve : inlet valve state; valve in; filling valve; valve inlet; IV; valve on the feed line; valve upstream; HV-in; inlet tap; feed cock
tank / outvalve : outlet valve state; valve out; bottom valve; valve outlet; OV; valve on the drain line; valve downstream; HV-out; outlet tap; drain cock
tank / overflow : overflow alarm; overflow pipe; overflow contact; overflow detector; high-high switch; spill sensor; overspill; overflow; LSHH
washing machine : washer 2; laundromat machine; washing drum; machine in the basement; home washer; laundry drum; hotel washer; top loader; washer dryer; wash cycle machine; tumbler
washing machine / drum : drum turning; drum rotation; rotation; drum revs; rpm; spin speed; tumble speed; drum motor; revs; speed of the drum; motor rpm; turning speed
washing machine / level : water; water in drum; filling level; pressure switch level; level sensor; fill; amount of water; water fill; level in tub; lye level
washing machine / temp : temperature; water temp. NTC; NTC; suds temp; heat; lye temperature; thermostat; temp of the water; drum temp; wash water; T
washing machine / heater : heating rod; heat element; heating on?; heater relay; heater element; relay heat; water heater; heat
washing machine / inlet : water inlet; inlet; fill solenoid; water tap; supply valve; valve; intake valve; solenoid; inlet solenoid; tap valve
washing machine / pump : pump out; draining pump; drain; lye pump; outlet; drainage pump; waste pump; drain motor; emptying pump
washing machine / power : watts; power use; energy; plug power; kW; wattmeter; smart plug; power intake; electric power; power meter; load; power draw at plug
cold store : freezer; freezer 2; cold cell; meat cold room; walk-in cooler; deep freeze; fridge room; refrigerated truck box; vaccine fridge; cooling cell; frozen food store; fruit store; walk-in; fridge; ice cream store
cold store / room : inside temp; air in the room; temp inside; cold room temp; storage temp; T air; goods temperature; freezer temp; box temp; fridge temp; inside; room; product; cell temperature
cold store / coil : evaporator; coil; evap; coil temp; evaporator coil; temp at coil; cooling coil; evaporator fins; evap coil; air cooler coil; T evap
cold store / compressor : comp; compressor relay; refrigeration unit; compressor running; cooling unit; condensing unit; compressor motor; chiller compressor; cooling machine; comp run
cold store / heater : defrost; heating rods; coil heating; defrost heating; heat rods; electric defrost; defrost relay; hot gas valve
cold store / door : cold room door; door; sliding door; entry door; freezer door; door switch; door sensor; entrance; access door; loading door
cold store / humidity : RH; air humidity; moisture; rel. humidity; humidity inside; hum; room humidity; RH inside; % RH; dampness
cold store / suction : suction; suction line; suct. pressure; low pressure; suction gauge; LP side; pressure suction; low side; compressor suction; PT suction
vehicle : my car; company car; hatchback; VW; taxi; ambulance; tractor unit; fleet car; Sprinter; electric car; EV; bus 17; semi; rental; vehicle 42; SUV; sedan; coach; truck 12; tram bus; unit 203; hybrid
vehicle / speed : car speed; driving speed; velocity; speedometer; km/h; speedo; tacho; GNSS speed; speed over ground; current speed; vehicle_speed; moving at; travel speed; wheelspeed; veh speed
vehicle / engine : engine revs; engine revolutions; RPM engine; tachometer; crank speed; motor revs; motor rpm; engine; ICE speed; combustion engine; eng rpm; rev counter; n_engine; engine turning
vehicle / throttle : gas; pedal; accelerator pedal position; throttle angle; throttle valve; acc pedal; pedal travel; right pedal; gas pedal position; throttle opening; TPS; pedal pressed; foot on gas
vehicle / brake : brake; brakes; brake pressure front; brake pedal pressure; hydraulic brake; pressure in the brakes; brake line; brake force; brk press; ABS pressure; brake fluid pressure
vehicle / accel : acceleration longitudinal; acc; g-force; accelerometer x; a_x; forward g; longitudinal g; acc. x; deceleration/acceleration; IMU x
vehicle / gear : gear selected; gearbox; PRND; gearstick; drive selector; lever; gear in use; selector; gear engaged; transmission mode; gear selector
vehicle / fuel : tank; fuel in tank; diesel level; petrol; diesel; gas tank; tank fill; fuel %; fuel amount; tank gauge; fuel quantity; fuel tank
vehicle / soc : battery; battery %; battery SOC; state of charge HV; charge; drive battery; EV battery; traction battery SOC; energy left; battery state; high-voltage battery
vehicle / plug : cable; cable plugged; charge cable; plugged in?; charging plug; charge socket; charging connector; connector; charger plug; type 2 plug; wallbox cable
vehicle / charge : power at the plug; charger output; wallbox power; kW charging; DC power; charging at; charge rate; charging rate; power into battery; power at wallbox; station power
vehicle / cap : filler cap state; fuel lid; fuel flap; tank cap; gas cap; fuel filler; tank lid; filler; cap of the tank
server : web-03; prod host; app server; database; VM 12; file server; mail server; build server; kubernetes node; box; srv02; linux box; hypervisor; proxy; cache server; the machine; ec2 instance; container host; bare metal; NAS; gateway host
server / cpu : cpu; processor; CPU usage; cores busy; cpu%; CPU busy; load on cpu; processors; cpu use; %cpu; compute load; core load; user+sys; cpu total; processor utilisation; system load; cpu busy share
server / memory : mem; mem used; memory in use; used RAM; memory %; mem%; physical memory; memory consumption; working set; allocated memory; committed memory; RAM usage %; process memory; RSS; used memory
server / disk : disk activity; disk; disk rate; drives; disk reads+writes; storage I/O; volume writes; disk usage rate; disk bandwidth; SSD writes; write rate; sda; disk MB/s; IO; array throughput; nvme write
server / net : net; network traffic; network rate; bandwidth out; net out; tx; upload; eth0; LAN traffic; network send; bytes out; egress; network IO; interface tx; data sent; network usage; send rate
server / requests : reqs; req/s; rps; requests per second; HTTP rate; queries per second; qps; API requests; transactions per second; tps; web requests; user requests; load (requests); requests served; connections served; jobs; operations; page views
server / temp : temperature; cpu heat; processor temperature; chip temperature; core temp; tcpu; thermal; CPU package; temperature of the CPU; hottest core; socket temp; heat; mainboard temp; silicon temperature
server / fan : fans; fan rpm; chassis fans; fan tray; cooling fans; ventilator; fan 2; case fan; CPU fan; heatsink fan; rear fan; system fan; fan revs
server / ping : reachable; reachability; ping reply; alive; ping status; up?; responds; answer to ping; probe; monitoring check; ssh check; health; availability; agent status; heartbeat status; node status
network link : link 3; line to branch office; internet line; gi0/1; ISP line; fiber; MPLS line; port 24; VPN tunnel; leased line; backbone; eth2; wan0; access port; WAN; site link; microwave link; core link; DSL; office line; interface
network link / rate : bw; bandwidth used; usage; bits/s; line rate; load; throughput in; Mbit; traffic in; traffic rate; line usage; in+out; transfer rate; rate; bit throughput; link usage; volume
network link / packets : pkts; pkt/s; packets per second; packets in; packet count rate; pkts/s; packet flow; ingress packets; PPS in; rx pkts; number of packets
network link / size : avg pkt; avg packet; mean packet size; bytes/packet; packet length; pkt size; average size; avg length; avg pkt size; size of packets
network link / loss : pkt loss; lost; packets lost; dropped; drop rate; loss %; dropped packets; loss rate; lost pkts; errors; missing packets; drops in %
network link / latency : lag; ping time; response time; delay ms; rtt avg; latency to gateway; one-way delay; latency ms; time to peer; pings
network link / connections : conns; open sessions; tcp sessions; concurrent connections; number of flows; active flows; NAT table; session table; TCP connections; conntrack; session count; connected clients
network link / status : state; link; link state; port; port state; interface status; admin/oper; phy; line; line state; up/down; cable; link light; interface state
person : jogger; patient 7; me; my watch; test person; volunteer; worker; cyclist; hiker; elderly user; man; woman; watch user; resident; employee; tracker user; proband; fitness band wearer; grandmother; soldier; dancer
person / pulse : heart; heartrate; heart beat; HR bpm; heart frequency; pulse rate; bpm; heartbeat; ECG rate; pulse sensor; heart rate monitor; HRM; heart bpm
person / steps : stepping rate; steps per minute; step freq; pedometer; step counter; step cadence; foot cadence; paces; steps/min; walking cadence; foot strikes; SPM; gait frequency
person / speed : moving at; movement; velocity GPS; pace; km/h; travel speed; GNSS speed; moving speed; going; speed watch; speed over the ground; body speed
person / accel : movement; acceleration; wrist motion; wrist acceleration; motion intensity; accel; acc; body movement; shaking; activity; actigraphy; accelerometer rms; motion level; arm movement
person / posture : trunk; torso angle; upper body angle; tilt of the trunk; back angle; body inclination; torso inclination; upper body inclination; trunk lean; back tilt; body tilt; chest angle
person / thigh : thigh; upper leg; thigh tilt; leg angle; thigh sensor; upper leg angle; thigh orientation; leg tilt; thigh from vertical; leg inclination
person / altitude : height; alt; barometer height; elevation GPS; meters above sea; height above sea level; altimeter; elev; altitude watch
person / cadence : pedalling; crank; pedal rate; pedal rpm; pedals; cranks; crank speed; bike cadence; pedal frequency; crank sensor
person / light : brightness; light sensor; lighting; lamp; illumination; light in the room; lights; bedroom light; surroundings; lux
elevator : lift 2; lift A; elevator B; hotel lift; hospital lift; car 1; service lift; panorama lift; elevator car; goods elevator; building lift; lift in block C; dumbwaiter; lift car
elevator / position : position of the car; car height; height; where the car is; shaft height; car at; cabin position; pos; location in shaft; height in shaft; absolute position; travel height
elevator / speed : car velocity; velocity; speed of the car; travel speed; rope speed; moving at; cabin velocity; car speed act; drive speed; lift speed; v car
elevator / load : weight; cabin weight; load cell; weight in the cabin; load weighing; passengers; kg in the car; cabin load cell; car weight; weighing; persons weight
elevator / door : doors; door state; door contact; cabin doors; door sensor; car doors; door position; door lock; the doors; door switch
elevator / current : amps; drive amps; motor amps; traction motor current; motor draw; motor ampere; inverter current; drive motor; traction current; hoist motor amps
elevator / call : calls; pending calls; call button; demand; button pressed; calls waiting; floor call; call registered; open calls; car call
elevator / level : floor; at floor; at landing; levelled; zone; door zone; landing zone; floor position; flush with floor; floor indicator; position indicator
elevator / alarm : alarm bell; bell; emergency; alarm pressed; alarm state; SOS; emergency bell; cabin alarm; alarm from cabin; intercom alarm; emergency phone
robot arm : robot R2; welding robot; palletizer; KUKA; pick robot; arm; ABB; UR10; robot cell; gantry robot; painting robot; gripper robot; assembly robot; robot 4; industrial robot; loader robot; arm 2
robot arm / speed : TCP; tool velocity; tcp velocity; arm speed; speed of the tool; v_tcp; Cartesian speed; motion speed; velocity of the tool; end effector speed; moving at; tip speed
robot arm / joint : J2 position; axis 2 position; axis angle; A2; joint angle; J2 angle; joint 2; axis two; A2 angle; shoulder; elbow; joint position; q2
robot arm / torque : J2 moment; moment axis 2; tau2; torque at joint; joint moment; axis 2 torque; torque A2; motor moment; torque J2; load torque; tau
robot arm / gripper : gripper; jaws; jaw opening; gripper gap; gripper position; gripper stroke; opening of the gripper; claw opening; fingers; gripper travel; jaw width
robot arm / force : grip; gripping force; clamp force; force at gripper; grasp force; force of the jaws; jaw force; pinch force; force sensor; gripper pressure force
robot arm / brake : brake state; brakes engaged; axis brakes; brakes; joint brakes; brake; holding brakes; robot brakes; brake status
robot arm / current : amps; motor amps; motor current J2; axis amps; drive current; servo amps; joint current; motor draw; current axis 2; I2; servo
"""


@cache
def parse_more() -> tuple[dict[tuple[str, str], tuple[str, ...]], dict[str, tuple[str, ...]]]:
    """Return more names of roles, by domain and role, and of machines, by domain."""
    roles: dict[tuple[str, str], tuple[str, ...]] = {}
    machines: dict[str, tuple[str, ...]] = {}
    for line in MORE.strip().splitlines():
        head, _, text = line.partition(" : ")
        names = tuple(name.strip() for name in text.split(";"))
        domain, mark, role = head.partition(" / ")
        if mark:
            roles[domain, role] = names
        else:
            machines[domain] = names
    return roles, {domain: (*names, *parse_callings()[domain]) for domain, names in machines.items()}
