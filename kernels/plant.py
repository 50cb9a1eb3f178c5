"""The equations of a small process plant, stepped through time: two tanks, a pump, a heater, four control loops.

`engine.plant` explains the plant and its equations; here they are arithmetic on one state vector. SI units throughout (m, m3/s,
W, degrees Celsius, s) except for the outlet flow loop, which works in litres per minute like its transmitter.
"""

import numpy as np
import numpy.typing as npt

from kernels.jit import kernel

# The state vector: indices.
LEVEL_1, LEVEL_2, TEMP_1, TEMP_2, TEMP_SURFACE = 0, 1, 2, 3, 4
FEED_VALVE, FEED_VALVE_SLIPS, OUTLET_VALVE, PUMP_SPEED = 5, 6, 7, 8
SEEN_LEVEL_1, SEEN_LEVEL_2, SEEN_TEMP_2, SEEN_OUTFLOW_LPM = 9, 10, 11, 12  # what the transmitters show the controllers
INTEGRAL_FEED, INTEGRAL_PUMP, INTEGRAL_HEATER, INTEGRAL_OUTLET = 13, 14, 15, 16
DISTURBANCE = 17  # four: demand, supply pressure, feed temperature, ambient temperature; each of mean 0 and deviation 1
FAULT = 21  # five, in the order of the codes 1..5
STATE_SIZE = 26

LEAK, FOULING, DRIFT, STICTION, WEAR = FAULT, FAULT + 1, FAULT + 2, FAULT + 3, FAULT + 4

# Set points: indices.
SET_DEMAND_LPM, SET_LEVEL_1, SET_LEVEL_2, SET_TEMP_2, SET_AMBIENT, SET_FEED = 0, 1, 2, 3, 4, 5

# Quantities that instruments can read: rows of the result.
QUANTITIES = 16
(
    Q_SEEN_LEVEL_1,
    Q_TEMP_1,
    Q_INFLOW,
    Q_FEED_COMMAND,
    Q_PUMP_SPEED,
    Q_PUMP_POWER,
    Q_SEEN_LEVEL_2,
    Q_SEEN_TEMP_2,
    Q_SEEN_OUTFLOW,
    Q_HEATER_POWER,
    Q_TEMP_SURFACE,
    Q_TEMP_2,
    Q_LEVEL_1,
    Q_LEVEL_2,
    Q_OUTFLOW,
    Q_LEAK,
) = range(QUANTITIES)

# Commands and flows of one step: indices into a scratch vector.
U_FEED, U_PUMP, U_HEATER, U_OUTLET, INFLOW, TRANSFER, OUTFLOW, LEAKAGE, HEAD = 0, 1, 2, 3, 4, 5, 6, 7, 8
SCRATCH_SIZE = 9

GRAVITY = 9.81
WATER_J_PER_M3_K = 998.0 * 4186.0
LPM_PER_M3_S = 60_000.0

AREA_1_M2, AREA_2_M2 = 0.12, 0.10
BRIM_M = 1.4  # above it, either tank runs over
LEAST_LEVEL_M = 0.02  # the sump below the outlet; keeps the balances defined in an empty tank
SUCTION_M = 0.05  # below it, the pump draws air and loses flow
LOSS_1_W_PER_K, LOSS_2_W_PER_K = 12.0, 25.0

FEED_VALVE_M3_S = 1.1e-3  # flow through the open feed valve at nominal supply pressure
OUTLET_M2 = 2.9e-4  # discharge coefficient times area of the open outlet valve
ACTUATOR_S = 2.0
DEAD_BAND = 0.002  # of a healthy valve, as a share of its travel

SHUT_OFF_HEAD_M, LIFT_M = 14.0, 3.0
FRICTION_S2_PER_M5 = 1.96e7
PUMP_LAG_S = 1.5
PUMP_EFFICIENCY, PUMP_IDLE_W = 0.55, 25.0

HEATER_W = 110_000.0
HEATER_W_PER_K = 2500.0  # clean surface to water
SURFACE_J_PER_K = 35_000.0

LEVEL_LAG_S, TEMP_LAG_S, FLOW_LAG_S = 2.0, 6.0, 1.5

FEED_GAIN, FEED_RESET_S = 5.0, 90.0  # per m
PUMP_GAIN, PUMP_RESET_S = 2.3, 160.0  # per m
HEATER_GAIN, HEATER_RESET_S = 0.055, 130.0  # per K
OUTLET_GAIN, OUTLET_RESET_S = 0.006, 9.0  # per l/min

DEMAND_SHARE, PRESSURE_SHARE, FEED_K, AMBIENT_K = 0.035, 0.08, 0.8, 1.0  # deviations of the disturbances


@kernel
def regulate(
    x: npt.NDArray[np.float64], integral: int, error: float, gain: float, reset_s: float, step_s: float
) -> float:
    """Advance one proportional-integral controller and return its output, 0 to 1.

    The integral is kept within the actuator's range, so that it does not wind up while the actuator is at its end.

    Parameters
    ----------
    x : (STATE_SIZE,) float64
        The integral, at index `integral`, is updated in place.
    """
    x[integral] = min(1.0, max(0.0, x[integral] + gain * error * step_s / reset_s))
    return float(min(1.0, max(0.0, x[integral] + gain * error)))


@kernel
def control(
    x: npt.NDArray[np.float64], set_points: npt.NDArray[np.float64], step_s: float, u: npt.NDArray[np.float64]
) -> None:
    """Let transmitters follow the plant and the four controllers answer; the commands go to `u`."""
    x[SEEN_LEVEL_1] += (x[LEVEL_1] - x[SEEN_LEVEL_1]) * step_s / (LEVEL_LAG_S + step_s)
    x[SEEN_LEVEL_2] += (x[LEVEL_2] - x[SEEN_LEVEL_2]) * step_s / (LEVEL_LAG_S + step_s)
    x[SEEN_TEMP_2] += (x[TEMP_2] + x[DRIFT] - x[SEEN_TEMP_2]) * step_s / (TEMP_LAG_S + step_s)
    x[SEEN_OUTFLOW_LPM] += (u[OUTFLOW] * LPM_PER_M3_S - x[SEEN_OUTFLOW_LPM]) * step_s / (FLOW_LAG_S + step_s)
    demand = set_points[SET_DEMAND_LPM] * (1.0 + DEMAND_SHARE * x[DISTURBANCE])
    u[U_FEED] = regulate(x, INTEGRAL_FEED, set_points[SET_LEVEL_1] - x[SEEN_LEVEL_1], FEED_GAIN, FEED_RESET_S, step_s)
    u[U_PUMP] = regulate(x, INTEGRAL_PUMP, set_points[SET_LEVEL_2] - x[SEEN_LEVEL_2], PUMP_GAIN, PUMP_RESET_S, step_s)
    u[U_HEATER] = regulate(
        x, INTEGRAL_HEATER, set_points[SET_TEMP_2] - x[SEEN_TEMP_2], HEATER_GAIN, HEATER_RESET_S, step_s
    )
    u[U_OUTLET] = regulate(x, INTEGRAL_OUTLET, demand - x[SEEN_OUTFLOW_LPM], OUTLET_GAIN, OUTLET_RESET_S, step_s)


@kernel
def actuate(x: npt.NDArray[np.float64], step_s: float, u: npt.NDArray[np.float64]) -> None:
    """Move valves and pump towards their commands; a sticking feed valve stays until the command has left its band."""
    away = abs(u[U_FEED] - x[FEED_VALVE])
    if away > DEAD_BAND + x[STICTION]:
        x[FEED_VALVE_SLIPS] = 1.0
    elif away <= DEAD_BAND:
        x[FEED_VALVE_SLIPS] = 0.0
    if x[FEED_VALVE_SLIPS] > 0.0:
        x[FEED_VALVE] += (u[U_FEED] - x[FEED_VALVE]) * step_s / (ACTUATOR_S + step_s)
    x[OUTLET_VALVE] += (u[U_OUTLET] - x[OUTLET_VALVE]) * step_s / (ACTUATOR_S + step_s)
    x[PUMP_SPEED] += (u[U_PUMP] - x[PUMP_SPEED]) * step_s / (PUMP_LAG_S + step_s)


@kernel
def flow(x: npt.NDArray[np.float64], u: npt.NDArray[np.float64]) -> None:
    """Compute what runs through valves, pump and leak now, and the pump's head."""
    pressure = max(0.2, 1.0 + PRESSURE_SHARE * x[DISTURBANCE + 1])
    u[INFLOW] = FEED_VALVE_M3_S * x[FEED_VALVE] * np.sqrt(pressure)
    lift = LIFT_M + x[LEVEL_2] - x[LEVEL_1]
    head = SHUT_OFF_HEAD_M * (1.0 - x[WEAR]) * x[PUMP_SPEED] ** 2 - lift
    transfer = np.sqrt(max(0.0, head) / FRICTION_S2_PER_M5) * min(1.0, (x[LEVEL_1] - LEAST_LEVEL_M) / SUCTION_M)
    u[TRANSFER] = transfer
    u[HEAD] = lift + FRICTION_S2_PER_M5 * transfer * transfer
    speed = np.sqrt(2.0 * GRAVITY * (x[LEVEL_2] - LEAST_LEVEL_M))  # Torricelli
    u[OUTFLOW] = OUTLET_M2 * x[OUTLET_VALVE] * speed
    u[LEAKAGE] = x[LEAK] * speed


@kernel
def balance(
    x: npt.NDArray[np.float64], set_points: npt.NDArray[np.float64], step_s: float, u: npt.NDArray[np.float64]
) -> None:
    """Advance levels and temperatures by their mass and energy balances."""
    ambient = set_points[SET_AMBIENT] + AMBIENT_K * x[DISTURBANCE + 3]
    feed = set_points[SET_FEED] + FEED_K * x[DISTURBANCE + 2]
    volume_1 = AREA_1_M2 * x[LEVEL_1]
    volume_2 = AREA_2_M2 * x[LEVEL_2]
    temp_1, temp_2, surface = x[TEMP_1], x[TEMP_2], x[TEMP_SURFACE]
    passed_w = HEATER_W_PER_K * (1.0 - x[FOULING]) * (surface - temp_2)
    lost_1_w = LOSS_1_W_PER_K * (temp_1 - ambient)
    lost_2_w = LOSS_2_W_PER_K * (temp_2 - ambient)
    x[TEMP_1] += step_s * (u[INFLOW] * (feed - temp_1) - lost_1_w / WATER_J_PER_M3_K) / volume_1
    x[TEMP_2] += step_s * (u[TRANSFER] * (temp_1 - temp_2) + (passed_w - lost_2_w) / WATER_J_PER_M3_K) / volume_2
    x[TEMP_SURFACE] += step_s * (HEATER_W * u[U_HEATER] - passed_w) / SURFACE_J_PER_K
    level_1 = x[LEVEL_1] + step_s * (u[INFLOW] - u[TRANSFER]) / AREA_1_M2
    level_2 = x[LEVEL_2] + step_s * (u[TRANSFER] - u[OUTFLOW] - u[LEAKAGE]) / AREA_2_M2
    x[LEVEL_1] = min(BRIM_M, max(LEAST_LEVEL_M, level_1))
    x[LEVEL_2] = min(BRIM_M, max(LEAST_LEVEL_M, level_2))


@kernel
def advance(
    x: npt.NDArray[np.float64],
    u: npt.NDArray[np.float64],
    set_points: npt.NDArray[np.float64],
    period_s: float,
    steps: int,
    codes: npt.NDArray[np.int64],
    severities: npt.NDArray[np.float64],
    growth: npt.NDArray[np.float64],
    memory: npt.NDArray[np.float64],
    draws: npt.NDArray[np.float64],
    out: npt.NDArray[np.float64],
) -> None:
    """Run the plant for some rows.

    Parameters
    ----------
    x : (STATE_SIZE,) float64; u : (SCRATCH_SIZE,) float64
        The plant, updated in place: carry both from call to call.
    set_points : (6,) float64
        In the order of the `SET_` indices.
    period_s, steps : float, int
        Seconds a row, and explicit Euler steps within it: the fastest balance has a time constant of about a second, so a step
        should be at most half a second.
    codes : (rows,) int64; severities : (rows,) float64
        The state of each row, 0 none and 1..5 a fault, and that fault's full size.
    growth : (5,) float64
        Share of the way to its full size, or back to 0, that a fault goes in one row.
    memory : (4,) float64; draws : (4, rows) float64
        Of the disturbances: the share kept from row to row, and standard normal numbers.
    out : (QUANTITIES, rows) float64
        Overwritten; levels in m, temperatures in degrees Celsius, flows in l/min, powers in W, commands and speed 0 to 1.
    """
    step_s = period_s / steps
    for t in range(codes.shape[0]):
        for k in range(5):
            target = severities[t] if codes[t] == k + 1 else 0.0
            x[FAULT + k] += (target - x[FAULT + k]) * growth[k]
        for k in range(4):
            x[DISTURBANCE + k] = memory[k] * x[DISTURBANCE + k] + np.sqrt(1.0 - memory[k] ** 2) * draws[k, t]
        for _ in range(steps):
            flow(x, u)
            control(x, set_points, step_s, u)
            balance(x, set_points, step_s, u)
            actuate(x, step_s, u)
        efficiency = PUMP_EFFICIENCY * (1.0 - 0.5 * x[WEAR])
        out[Q_SEEN_LEVEL_1, t] = x[SEEN_LEVEL_1]
        out[Q_TEMP_1, t] = x[TEMP_1]
        out[Q_INFLOW, t] = u[INFLOW] * LPM_PER_M3_S
        out[Q_FEED_COMMAND, t] = u[U_FEED]
        out[Q_PUMP_SPEED, t] = x[PUMP_SPEED]
        out[Q_PUMP_POWER, t] = 998.0 * GRAVITY * u[HEAD] * u[TRANSFER] / efficiency + PUMP_IDLE_W * x[PUMP_SPEED] ** 3
        out[Q_SEEN_LEVEL_2, t] = x[SEEN_LEVEL_2]
        out[Q_SEEN_TEMP_2, t] = x[SEEN_TEMP_2]
        out[Q_SEEN_OUTFLOW, t] = x[SEEN_OUTFLOW_LPM]
        out[Q_HEATER_POWER, t] = HEATER_W * u[U_HEATER]
        out[Q_TEMP_SURFACE, t] = x[TEMP_SURFACE]
        out[Q_TEMP_2, t] = x[TEMP_2]
        out[Q_LEVEL_1, t] = x[LEVEL_1]
        out[Q_LEVEL_2, t] = x[LEVEL_2]
        out[Q_OUTFLOW, t] = u[OUTFLOW] * LPM_PER_M3_S
        out[Q_LEAK, t] = u[LEAKAGE] * LPM_PER_M3_S


@kernel
def read_sensors(
    quantities: npt.NDArray[np.float64],
    source: npt.NDArray[np.int64],
    follow: npt.NDArray[np.float64],
    gain: npt.NDArray[np.float64],
    offset: npt.NDArray[np.float64],
    noise: npt.NDArray[np.float64],
    scale: npt.NDArray[np.float64],
    grain: npt.NDArray[np.float64],
    element: npt.NDArray[np.float64],
    draws: npt.NDArray[np.float64],
    out: npt.NDArray[np.float64],
) -> None:
    """Read quantities through instruments: first-order lag, calibration, noise, rounding.

    Parameters
    ----------
    quantities : (QUANTITIES, rows) float64
    source : (channels,) int64
        The row of `quantities` that each channel reads.
    follow : (channels,) float64
        Share of the way to the present quantity that the sensing element goes in one row.
    gain, offset, noise : (channels,) float64
        Reading is `gain * element + offset + noise * draw`.
    scale, grain : (channels,) float64
        10 to the number of decimals, and the reading's grain in units of the last decimal.
    element : (channels,) float64
        The sensing elements' own values, updated in place.
    draws, out : (channels, rows) float64
        Standard normal numbers; readings, overwritten. Each is a whole number over a power of ten: the float nearest to its
        decimal text. Both may be the same array.
    """
    channels, rows = out.shape
    for c in range(channels):
        y = element[c]
        for t in range(rows):
            y += (quantities[source[c], t] - y) * follow[c]
            reading = gain[c] * y + offset[c] + noise[c] * draws[c, t]
            out[c, t] = np.rint(reading * scale[c] / grain[c]) * grain[c] / scale[c] + 0.0  # no negative zero
        element[c] = y
