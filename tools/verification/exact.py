"""Closed forms of the model, evaluated independently of the program (docs/theory.md)."""

import math

import scipy.integrate
import scipy.optimize
import scipy.special


def rate(mu, noise=1.0, threshold=2.0, reset=1.0):
    """Rate of an uncoupled neuron with drift mu, by the Siegert integral.

    1/r = sqrt(pi) * integral of exp(x^2)(1 + erf x) from (V_R-mu)/sqrt(2a) to (V_F-mu)/sqrt(2a).
    """
    scale = math.sqrt(2.0 * noise)
    value, _ = scipy.integrate.quad(lambda x: math.sqrt(math.pi) * scipy.special.erfcx(-x),
                                    (reset - mu) / scale, (threshold - mu) / scale,
                                    epsabs=1e-13, epsrel=1e-13)
    return 1.0 / value


def single_weight_rate(b):
    """Smallest steady rate of the single-weight network: N = r(b N)."""
    steps = [0.01 * k for k in range(1, 1000)]
    for low, high in zip(steps, steps[1:]):
        if (low - rate(b * low)) * (high - rate(b * high)) <= 0.0:
            return scipy.optimize.brentq(lambda n: n - rate(b * n), low, high, xtol=1e-14)
    raise ValueError(f"no steady state for b = {b}")


def learned_state(learning=1.0, current=1.0):
    """Total rate and largest weight of the learned steady state for constant K and I.

    With sigma(N) = N/(1+N): Nbar^2 = w*^2/(2K), and the integral of H = w/(K Nbar r(mu)) over
    [0, w*] is one.
    """
    def excess_mass(total_rate):
        largest = total_rate * math.sqrt(2.0 * learning)
        response = total_rate / (1.0 + total_rate)
        mass, _ = scipy.integrate.quad(
            lambda w: w / (learning * total_rate * rate(current + w * response)), 0.0, largest,
            epsabs=1e-12, epsrel=1e-12)
        return mass - 1.0

    total_rate = scipy.optimize.brentq(excess_mass, 0.05, 5.0, xtol=1e-13)
    return total_rate, total_rate * math.sqrt(2.0 * learning)
