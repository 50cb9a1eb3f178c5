"""A small process plant with physics and faults, for the demonstration, the tests and the benchmarks.

    cold feed --[valve]--> tank 1 --(pump)--> tank 2 with heater --[valve]--> warm outlet
                                                  |
                                                (leak)

Mass balances (levels h in m, areas A in m2, flows q in m3/s):

    A1 dh1/dt = q_feed - q_pump                      A2 dh2/dt = q_pump - q_out - q_leak
    q_feed = k v_feed sqrt(p)                        p: supply pressure over nominal; v: valve position, 0 to 1
    q_out  = Cd a v_out sqrt(2 g h2)                 Torricelli; q_leak = (Cd a)_leak sqrt(2 g h2)
    H0 (1 - wear) s^2 = H_lift + h2 - h1 + R q_pump^2      pump at speed s against lift and pipe friction, heads in m

Energy balances (temperatures T in degrees Celsius, water at c = 4.18e6 J/(m3 K), powers P in W, losses U in W/K):

    A1 h1 dT1/dt = q_feed (T_feed - T1) - U1 (T1 - T_ambient) / c
    A2 h2 dT2/dt = q_pump (T1 - T2) + (K (1 - fouling) (T_s - T2) - U2 (T2 - T_ambient)) / c
    Cs dT_s/dt   = P_heater - K (1 - fouling) (T_s - T2)   T_s: surface of the heater, Cs in J/K, K in W/K

Four proportional-integral controllers hold level 1 (feed valve), level 2 (pump speed), temperature 2 (heater power) and the outlet
flow (outlet valve). Each sees its quantity through a transmitter, dy/dt = (x - y) / lag, as do all instruments, which add gain and
offset, noise and rounding. Demand, supply pressure, feed and ambient temperature wander (Ornstein-Uhlenbeck processes).

Faults, and what the controllers make of them:

    leak          a hole in tank 2: its level stays, the pump runs faster and more feed is drawn than leaves
    fouling       the heater passes less heat: its power stays, its surface gets hotter
    sensor_drift  the temperature transmitter of tank 2 reads low: it still shows the set point, the water is too warm
    stuck_valve   the feed valve sticks until its command is well away: flow and level 1 cycle
    pump_wear     the pump loses head and efficiency: the flow stays, speed and power rise

Each episode of a fault has a severity of its own; faults grow and are repaired with a time constant, so that the first rows of an
episode still look like the one before.
"""

from engine.plant.demo import DemoPlant, write_demo
from engine.plant.instruments import MOST_CHANNELS, Instrument, channel_names, instruments
from engine.plant.recording import write_csv, write_large
from engine.plant.scenario import STATES, Episode, Scenario, SetPoints
from engine.plant.simulation import Block, simulate

__all__ = [
    "MOST_CHANNELS",
    "STATES",
    "Block",
    "DemoPlant",
    "Episode",
    "Instrument",
    "Scenario",
    "SetPoints",
    "channel_names",
    "instruments",
    "simulate",
    "write_csv",
    "write_demo",
    "write_large",
]
