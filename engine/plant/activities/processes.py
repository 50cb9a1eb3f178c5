"""Domains of thermal, electrical and process plants, in the form of `vocabulary.parse`."""

PROCESSES = """
domain air handler : AHU; ventilation unit; HVAC unit; air handling unit; rooftop unit || fan coil; climate unit
role fan share 0=0..0 n=45..95 : fan speed; supply fan; fan; SF speed; fan output || blower; ventilator
role flow air_flow 1500..22000 : airflow; supply air flow; air volume; volume flow || ventilation rate; supply volume
role heat share 0=0..0 n=30..100 : heating valve; heating coil; heater output; hot water valve || reheat valve; heating demand
role cool share 0=0..0 n=30..100 : cooling valve; cooling coil; chilled water valve; cooling output || chiller demand; CHW valve
role supply temperature n=17..21 h=29..42 l=10..15 : supply air temperature; supply temp; SAT; discharge air || delivered air temp; outlet air
role room temperature n=20..23 l=13..18 h=25..31 : room temperature; room temp; zone temperature; RT; return air temp || space temperature; zone sensor
role outside temperature n=14..20 l=-12..5 h=27..38 : outside temperature; outdoor temp; OAT; outside air || ambient air; outdoor air
role filter small_pressure n=40..130 h=330..650 : filter pressure drop; filter dp; dP filter; filter differential pressure || filter resistance; filter delta
act heating | heating mode; warming; heat mode : *fan n, flow n, *heat n, *cool 0, supply h, room l, outside l, filter n
act cooling | cooling mode; air conditioning; cool mode : *fan n, flow n, *heat 0, *cool n, supply l, room h, outside h, filter n
act ventilating | ventilation; fan only; free cooling; fresh air only : *fan n, flow n, *heat 0, *cool 0, supply n, room n, outside n, *filter n
act off | switched off; stopped; shut down; not running : *fan 0, *flow 0, heat 0, cool 0, room n, filter 0
act filter clogged | dirty filter; clogged filter; blocked filter; filter blocked : *fan n, *flow l, heat 0, cool 0, *filter h, room n

domain furnace : oven; kiln; heat treatment furnace; annealing furnace; industrial oven || hardening furnace; tempering oven
role temp temperature l=24..60 m=250..600 n=550..1150 : furnace temperature; chamber temperature; temperature; zone 1 temp; TC1 || oven temperature; hot zone
role set temperature n=600..1150 l=20..40 : setpoint; set temperature; SP; target temperature || desired temperature; programme setpoint
role power share 0=0..0 m=20..45 h=90..100 : heater power; burner; heating output; gas valve; power || firing rate; element output
role door state open=open/1 closed=closed/0/shut : door; furnace door; chamber door || hatch; charging door
role fan state on=on/1/running off=off/0 : circulation fan; fan; recirculation fan || convection fan; blower
act heating up | heat-up; ramping up; warming up; ramp : *temp m+, set n, *power h, *door closed, fan on
act holding temperature | soaking; soak; holding; dwell; hold : *temp n, set n, *power m, *door closed, fan on
act cooling down | cooling; cool-down; ramp down : *temp m-, set l, *power 0, *door closed, fan on
act off | switched off; cold; out of use : *temp l, *power 0, set l, door closed, fan off
act door open | door opened; open door; charging : *temp nd, set n, *power h, *door open, fan on

domain battery : battery pack; storage battery; battery bank; energy storage; UPS battery || accumulator; cell stack
role soc share l=8..20 m=25..70 n=30..85 f=99.5..100 : state of charge; SOC; charge level; charge; battery level || remaining charge; capacity left
role current current 12..180 : current; charge current; pack current; I_charge; current into battery || DC current in; inflow current
role draw current 12..180 : discharge current; load current; output current; current drawn || current to load; drain current
role voltage voltage l=44..47 n=48..53 h=54..57.6 : voltage; pack voltage; battery voltage; U_bat || terminal voltage; DC bus
role temp temperature n=18..34 h=56..80 : battery temperature; cell temperature; pack temp; max cell temp || module temperature; hottest cell
act charging | on charge; being charged; recharging : *soc m+, *current n, *draw 0, voltage n+, temp n
act discharging | supplying load; being discharged; on battery; draining : *soc n-, *current 0, *draw n, voltage n-, temp n
act resting | idle; no load; open circuit; standby : *soc n, *current 0, *draw 0, voltage n, temp n
act overheating | too hot; thermal problem; over-temperature; thermal runaway risk : soc n, current n, *temp h+, voltage n
act full | fully charged; float; float charge; charge complete : *soc f, *current l, *draw 0, voltage h, temp n

domain tank : storage tank; buffer tank; water tank; vessel; day tank; mixing tank || reservoir; silo
role level share l=8..25 m=30..60 n=35..85 f=99..100 : level; tank level; fill level; LT-level; LI || filling degree; content level
role inflow flow 4..180 : inflow; feed flow; inlet flow; FI-in; flow in || incoming flow; supply flow
role outflow flow 4..180 : outflow; drain flow; outlet flow; FI-out; flow out || outgoing flow; withdrawal
role invalve state open=open/1/100_% closed=closed/0/shut/0_% : inlet valve; feed valve; V1; fill valve || supply valve; XV-in
role outvalve state open=open/1/100_% closed=closed/0/shut/0_% : outlet valve; drain valve; V2; discharge valve || draw-off valve; XV-out
role overflow state wet=wet/1/active/flowing dry=dry/0/inactive : overflow sensor; overflow line; spill detector || overflow switch; weir contact
act filling | being filled; fill; charging the tank : *level m+, *inflow n, *outflow 0, invalve open, outvalve closed, overflow dry
act draining | emptying; being emptied; discharging; drain : *level n-, *inflow 0, *outflow n, invalve closed, outvalve open, overflow dry
act holding | static; idle; storing; no change : *level n, *inflow 0, *outflow 0, invalve closed, outvalve closed, overflow dry
act overflowing | overflow; spilling; overfilled; running over : *level f, *inflow n, outflow 0, invalve open, outvalve closed, *overflow wet
act leaking | leak; losing content; leakage : *level n-, *inflow 0, *outflow 0, *outvalve closed, invalve closed, overflow dry

domain washing machine : washer; laundry machine; front loader; industrial washer || washer-extractor; laundry washer
role drum turns 0=0..0 l=35..60 h=800..1500 : drum speed; drum; drum rpm; motor speed || basket speed; tub rpm
role level share 0=0..0 n=35..70 m=20..60 : water level; level; water; drum water || water height; suds level
role temp temperature l=14..24 n=30..60 m=25..55 : water temperature; wash temperature; temp; suds temperature || bath temperature; water temp
role heater state on=on/1 off=off/0 : heater; heating element; heating || immersion heater; element
role inlet state open=open/1/on closed=closed/0/off : inlet valve; water valve; fill valve || supply solenoid; cold water valve
role pump state on=on/1/running off=off/0 : drain pump; pump; outlet pump || suds pump; discharge pump
role power power 0=0..0.003 l=0.12..0.35 n=1.9..2.4 : power; power draw; consumption; active power || mains power; electrical power
act filling | taking water; water intake; fill : *drum 0, *level m+, *inlet open, heater off, *pump off, temp l, power l
act washing | wash; main wash; agitating; tumbling : *drum l, *level n, *inlet closed, *heater off, *pump off, temp n, power l
act heating water | heating; warming the water; heat-up : *drum l, *level n, *temp m+, *heater on, *pump off, inlet closed, power n
act spinning | spin; spin cycle; final spin; extraction : *drum h, *level 0, inlet closed, heater off, power l, temp l
act draining | pumping out; drain; emptying; pump out : *drum 0, *level n-, *pump on, inlet closed, heater off, power l
act off | switched off; finished; not running; idle : *drum 0, *level 0, *power 0, inlet closed, heater off, pump off

domain cold store : cold room; freezer room; refrigerated warehouse; chiller cabinet; cold storage || reefer; chill room
role room temperature n=-22..4 : room temperature; air temperature; store temp; T room; product temp || chamber temp; storage temperature
role coil temperature l=-32..-8 h=8..24 n=-24..0 : coil temperature; evaporator temperature; evap temp; T coil || fin temperature; cooler surface
role compressor state on=on/1/running off=off/0/stopped : compressor; compressor status; refrigeration || refrigeration compressor; cooling plant
role heater state on=on/1 off=off/0 : defrost heater; heater; coil heater || de-icing heater; defrost element
role door state open=open/1 closed=closed/0/shut : door; store door; door contact || gate; strip door
role humidity share n=65..82 h=93..100 : humidity; relative humidity; rH || air moisture; moisture content
role suction pressure 0.6..3 : suction pressure; low side pressure; LP || evaporating pressure; LP gauge
act cooling | refrigerating; pulling down; cooling down; refrigeration on : *room n-, coil l, *compressor on, heater off, *door closed, humidity n, suction n
act defrosting | defrost; de-icing; defrost cycle : room n>, *coil h, *compressor off, *heater on, door closed, humidity n
act door open | door opened; open door; loading : *room n+, coil n, compressor on, heater off, *door open, humidity h
act holding | in band; satisfied; idle; setpoint reached : *room n, coil n, *compressor off, *heater off, *door closed, humidity n
act cooling failure | refrigeration fault; loss of cooling; not cooling; refrigerant loss : *room n+, coil h, *compressor on, *heater off, *door closed, humidity n, suction l
"""
