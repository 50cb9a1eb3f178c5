"""Domains of vehicles, buildings, computers and people, in the form of `vocabulary.parse`."""

EVERYDAY = """
domain vehicle : car; truck; van; bus; delivery van; fleet vehicle; passenger car || lorry; pickup
role speed velocity 35..125 : speed; vehicle speed; wheel speed; GPS speed; road speed; v || ground speed; OBD speed
role engine turns i=650..900 n=1500..2600 h=3000..5200 0=0..0 : engine speed; engine rpm; rpm; motor speed; revs || crankshaft speed; ICE rpm
role throttle share 0=0..0 l=1..5 n=12..26 h=45..95 : throttle; accelerator pedal; pedal position; throttle position; gas pedal || accelerator; APP
role brake pressure 0=0..0 n=14..70 : brake pressure; brake line pressure; braking pressure; brake || master cylinder pressure; brake circuit
role accel acceleration 0=-0.02..0.02 n=0.12..0.4 b=-0.75..-0.2 : longitudinal acceleration; acceleration; accel x; ax || forward acceleration; long. accel
role gear state d=D/drive/4/5 r=R/reverse/-1 p=P/park n=N/neutral : gear; selected gear; gear lever; transmission || shifter; gear position
role fuel share n=20..80 m=15..60 : fuel level; fuel; tank level; fuel gauge || tank content; fuel remaining
role soc share n=20..90 m=15..60 : battery charge; SOC; state of charge; traction battery; battery level || pack charge; HV battery
role plug state in=plugged_in/connected/1/yes out=unplugged/no/0/disconnected : charge plug; charging cable; plug; charger || charge port; EVSE
role charge power 0=0..0 n=3..120 : charging power; charge power; charger power; AC power || power from charger; grid charge
role cap state open=open/1 closed=closed/0 : fuel cap; filler cap; tank flap || fuel door; filler flap
act parked | off; switched off; ignition off; standing with ignition off : *speed 0, *engine 0, *plug out, fuel n, gear p, throttle 0, soc n, *cap closed
act idling | engine idling; standing with engine on; idle; waiting with engine on : *speed 0, *engine i, throttle 0, brake n, gear n, fuel n, accel 0
act accelerating | speeding up; acceleration; pulling away : *speed m+, engine n+, *throttle h, brake 0, accel n, gear d, fuel n
act cruising | constant speed; steady driving; driving steadily; highway cruise : *speed n, engine n, *throttle n, *brake 0, accel 0, gear d, fuel n
act braking | slowing down; decelerating; stopping; deceleration : *speed n-, engine n-, *throttle 0, *brake n, accel b, gear d, fuel n
act reversing | backing up; driving backwards; reverse : *speed l, engine n, throttle l, *gear r, brake 0, fuel n
act charging | plugged in; on charge; battery charging; recharging : *speed 0, *plug in, *charge n, *soc m+, engine 0
act refuelling | refuel; filling up; tanking; fuel stop : *speed 0, *engine 0, *fuel m+, *cap open, gear p

domain server : host; compute node; database server; VM; web server; machine in rack 4 || blade; cluster node
role cpu share 0=0..0 l=1..6 m=22..40 n=30..60 h=88..100 : CPU; CPU load; cpu usage; processor load; cpu_util; CPU utilization || processor time; core usage
role memory share l=12..25 n=35..60 m=40..70 : memory; RAM; memory usage; mem_used; RAM used || resident memory; heap
role disk disk_rate 0=0..0 l=0.1..3 n=15..60 h=180..700 : disk write; disk I/O; disk throughput; disk read; io rate || storage throughput; block I/O
role net throughput 0=0..0 l=0.2..4 n=30..200 h=600..2500 : network; network out; traffic; net tx; eth0 tx || NIC throughput; outbound traffic
role requests count_rate 0=0..0 l=0.1..3 n=80..500 h=1500..6000 : requests; request rate; queries; transactions; http requests || calls; hits
role temp temperature l=30..40 n=45..62 h=90..104 : CPU temperature; core temperature; cpu temp; package temp || die temperature; inlet temp sensor 2
role fan turns n=3000..6000 l=400..900 : fan speed; fan; fan1; chassis fan || blower; cooling fan rpm
role ping state ok=ok/up/1/reachable no=timeout/down/0/unreachable : ping; heartbeat; host status; health check || ICMP; liveness
act idle | no load; doing nothing; unused : *cpu l, memory l, *disk l, *net l, requests l, temp l, ping ok
act normal load | normal operation; regular load; working normally; business as usual : *cpu n, *memory n, *disk n, net n, *requests n, temp n, fan n, ping ok
act heavy load | overload; high load; busy; peak load : *cpu h, memory n, disk n, net n, *requests h, *temp n, fan n, ping ok
act memory leak | leak; leaking memory; growing memory : *cpu n, *memory m+, *disk n, net n, *requests n, temp n, ping ok
act overheating | thermal problem; too hot; over-temperature; thermal throttling : *cpu n, memory n, *temp h+, *fan l, requests n, ping ok
act backup | backup running; nightly backup; backup job; copying data : *cpu m, memory n, *disk h, *net h, *requests l, temp n, ping ok
act offline | down; unreachable; host down; not responding : *cpu 0, disk 0, *net 0, *requests 0, *ping no, fan n

domain network link : link; uplink; WAN link; switch port; router interface; Ethernet port || trunk; fibre line
role rate throughput 0=0..0 l=0.05..2 n=60..350 h=850..990 : throughput; traffic; bandwidth; bit rate; rx rate; utilisation || data rate; bits per second
role packets count_rate 0=0..0 l=10..300 n=8000..40000 h=60000..90000 x=900000..4000000 : packets; packet rate; pps; rx packets || frames; datagrams
role size count n=500..900 h=1300..1500 l=60..90 : average packet size; packet size; mean frame size || bytes per packet; mean length
role loss share 0=0..0 l=0..0.1 h=4..19 : packet loss; loss; drops; discards || lost packets; drop ratio
role latency time_ms n=3..28 h=180..900 : latency; round trip time; RTT; ping; delay || response delay; round-trip
role connections count l=1..8 n=150..900 x=40000..400000 : connections; sessions; flows; open connections || active sessions; concurrent flows
role status state up=up/1/connected down=down/0/no_carrier : link status; port status; carrier; interface || oper status; line protocol
act idle | no traffic; quiet; unused : *rate l, *packets l, *loss 0, latency n, connections l, *status up
act normal traffic | normal; regular traffic; usual traffic; business traffic : *rate n, *packets n, size n, *loss l, *latency n, connections n, status up
act bulk transfer | large download; file transfer; big copy; replication : *rate h, packets h, size h, *loss l, latency n, *connections l, status up
act congestion | congested; saturated; overloaded link; bottleneck : *rate h, packets h, *loss h, *latency h, *connections n, status up
act outage | link down; down; disconnected; no link : *rate 0, *packets 0, loss 0, connections 0, *status down
act flooding attack | DDoS; flood; denial of service; SYN flood; attack : rate h, *packets x, *size l, loss h, latency h, *connections x, status up

domain person : wearer; runner; patient; user; subject; smart watch wearer || athlete; participant
role pulse pulse s=46..58 l=60..76 n=90..112 h=145..182 c=118..142 : heart rate; pulse; HR; heart_rate || beats; cardiac rate
role steps count_rate 0=0..0 n=1.6..2 h=2.6..3.1 l=1..1.4 : step rate; steps; step frequency || footfalls; strides
role speed velocity 0=0..0 n=4..6 h=9..15 c=17..32 l=0.8..1.8 : speed; GPS speed; pace speed; movement speed || ground speed; velocity
role accel acceleration 0=0..0.02 l=0.02..0.06 n=0.22..0.42 h=0.95..1.9 c=0.1..0.3 : acceleration RMS; motion; activity level; accelerometer; acc_rms || movement intensity; body acceleration
role posture angle l=2..18 f=75..90 s=30..70 : trunk angle from upright; trunk inclination; torso tilt || upper body tilt; lean angle
role thigh angle s=75..92 u=2..12 f=76..90 : thigh angle from vertical; thigh inclination || upper leg tilt; femur angle
role altitude length n=20..900 : altitude; height; barometric altitude; elevation || GPS height; height above sea
role cadence count_rate 0=0..0 c=1.1..1.6 : pedal cadence; cadence; pedalling rate; crank revolutions || crank rate; pedal turns
role light state dark=dark/0_lx/none bright=bright/320_lx/daylight : ambient light; light; room light || luminosity; lux level
act sleeping | asleep; sleep; in bed : *pulse s, *steps 0, *accel 0, *posture f, *light dark, speed 0
act sitting | seated; desk work; sitting still : *pulse l, *steps 0, *accel l, posture l, *thigh s, speed 0, altitude n
act standing | standing still; upright; on feet : *pulse l, *steps 0, *accel l, posture l, *thigh u, speed 0, altitude n
act walking | walk; strolling; on foot : *pulse n, *steps n, *speed n, *accel n, altitude n, cadence 0
act running | jogging; run; jog : *pulse h, *steps h, *speed h, *accel h, altitude n, cadence 0
act cycling | biking; riding a bike; bicycle ride : *pulse c, *steps 0, *speed c, accel c, *cadence c, altitude n
act climbing stairs | stairs up; going upstairs; stair climbing : *pulse c, *steps l, *speed l, accel n, *altitude n>, cadence 0

domain elevator : lift; passenger lift; freight elevator; goods lift || cabin lift; hoist
role position length 4..90 : car position; height; cabin height; position || shaft position; encoder height
role speed slow_velocity 0.6..4 : car speed; speed; cabin speed || hoist speed; lift velocity
role load mass l=0..40 n=150..900 : load; car load; cabin load; payload || weight in car; passengers weight
role door state open=open/1/opened closed=closed/0/shut : door; car door; doors || landing door; cabin door
role current current 0=0..0 l=0.2..1 n=14..60 : motor current; drive current; hoist current || machine current; winch amps
role call state pending=pending/waiting/1/yes none=none/0/no : call; landing call; call queue || hall call; request
role level state floor=at_floor/level/yes/3 between=between_floors/no/2-3 : floor level; landing; floor sensor || levelling sensor; floor zone
role alarm state on=active/1/pressed off=off/0/none : alarm; emergency button; alarm button || help button; emergency call
act going up | ascending; upward travel; moving up; up : *position m+, *speed n, load n, *door closed, current n, alarm off
act going down | descending; downward travel; moving down; down : *position n-, *speed n, load n, *door closed, current n, alarm off
act standing | parked; waiting; idle at floor; standing with doors closed : *position n, *speed 0, load l, *door closed, current 0, *call none, level floor, alarm off
act loading | boarding; doors open; people entering; unloading : *position n, *speed 0, *load n+, *door open, current 0, level floor, alarm off
act stuck | trapped; stalled between floors; entrapment; blocked : *position n, *speed 0, load n, *door closed, *level between, call pending, *alarm on

domain robot arm : robot; manipulator; six-axis robot; handling robot; pick and place robot || cobot; articulated arm
role speed slow_velocity 0=0..0 n=0.3..1.8 : TCP speed; tool speed; path speed; speed || flange speed; hand speed
role joint angle 10..140 : joint 2 angle; axis 2; J2; shoulder angle || A2 position; elbow angle
role torque torque 0=0..0 n=30..160 : joint torque; axis torque; J2 torque; motor torque || shoulder torque; drive torque
role gripper length o=0.07..0.12 c=0.01..0.03 m=0.05..0.09 : gripper opening; gripper width; jaw opening || finger gap; jaw distance
role force force 0=0..1 n=30..120 : grip force; gripper force; clamping force || finger force; holding force
role brake state on=on/engaged/1 off=released/0/off : brakes; holding brake; brake || motor brake; axis brake
role current current 0=0..0 n=2..9 : motor current; J2 current; axis current || servo current; drive amps
act moving | in motion; transfer move; travelling; handling move : *speed n, *joint n~, *torque n, gripper c, force n, brake off, current n
act holding | holding position; keeping position; waiting under torque : *speed 0, *joint n, *torque n, gripper c, *force n, *brake off, current n
act gripping | grasping; closing gripper; picking; grip : *speed 0, joint n, torque n, *gripper m-, *force n+, brake off, current n
act idle | standby; brakes on; parked; switched off : *speed 0, joint n, *torque 0, gripper o, force 0, *brake on, current 0
act collision | crash; collision detected; impact; hit an obstacle : *speed nd, joint n, *torque n^, gripper c, force n, brake off, current n^
"""
