"""The special functions in float64 against values to 22 digits, and against NumPy's long double on random arguments:
errors in units of the last place."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from test_scalars import call, errors_in_ulp

from graphc.ops.math import special_reference as exact

LONG = np.longdouble
UNITS = {"asinh": 2, "acosh": 3, "atanh": 2, "erfc": 4, "bessel_i0e": 4, "bessel_i1e": 4, "lgamma": 7, "digamma": 4,
         "zeta": 6, "polygamma": 10, "igamma": 500, "igammac": 500, "igamma_grad_a": 1000, "betainc": 1000}
# Computed with mpmath.
VALUES: dict[str, tuple[tuple[Any, ...], ...]] = {
    "asinh": (
        (1e-09, "1.000000000000000062115e-9"),
        (0.3, "0.2956730475634224284687"),
        (-2.5, "-1.647231146371095710625"),
        (1000000000.0, "21.41641301750635646583"),
    ),
    "acosh": (
        (1.0000001, "0.0004472135919037347270738"),
        (1.5, "0.9624236501192068949955"),
        (30.0, "4.094066668632085127668"),
        (1000000000000.0, "28.32416829648849351763"),
    ),
    "atanh": (
        (1e-09, "1.000000000000000062615e-9"),
        (0.3, "0.3095196042031117032738"),
        (-0.999999, "-7.254328619247669367295"),
    ),
    "erfc": (
        (-3.0, "1.999977909503001414559"),
        (-0.2, "1.222702589210478466176"),
        (0.3, "0.6713732405408725838104"),
        (0.7, "0.3221988061625815577231"),
        (2.5, "0.0004069520174449589395642"),
        (9.0, "4.137031746513810238054e-37"),
        (20.0, "5.395865611607900928935e-176"),
        (26.0, "5.663192408856142846476e-296"),
    ),
    "bessel_i0e": (
        (0.1, "0.9071009257823010916518"),
        (3.0, "0.2430003541618253984726"),
        (-7.9, "0.1443698641410419214708"),
        (8.1, "0.1425118094882952836556"),
        (50.0, "0.05656162664745419252994"),
        (1000000.0, "0.0003989423302692457787773"),
    ),
    "bessel_i1e": (
        (0.1, "0.0452984468088093272765"),
        (3.0, "0.1968267132973008536307"),
        (-7.9, "-0.1348964994398937681097"),
        (8.1, "0.1334006883258366326663"),
        (50.0, "0.05599312389289539964388"),
        (1000000.0, "0.0003989421307980307763133"),
    ),
    "lgamma": (
        (1e-300, "690.7755278982137051803"),
        (0.2, "1.524063822430784466161"),
        (0.75, "0.2032809514312953714814"),
        (1.0000001, "-5.772155829918507096964e-8"),
        (1.9999999, "-4.227843030986129819449e-8"),
        (2.3, "0.1541894549596304745014"),
        (5.5, "3.957813967618716293877"),
        (11.9, "17.25847745059552201188"),
        (12.1, "17.74700727079873930624"),
        (100000.0, "1051287.708973656894901"),
        (-0.3, "1.464840050857602530471"),
        (-5.4, "-4.289195310148283779107"),
    ),
    "digamma": (
        (1e-09, "-1000000000.577215600975"),
        (0.2, "-5.289039896592188003921"),
        (1.4616321449683622, "-9.241265521729427516792e-17"),
        (1.5, "0.03648997397857652055902"),
        (2.3, "0.6000398803639694787641"),
        (9.9, "2.241180316606381436548"),
        (10.1, "2.262214357094148123556"),
        (100000.0, "11.51292046496189508676"),
        (-0.3, "2.113309779635398873407"),
        (-5.4, "2.79690872657592270845"),
    ),
    "zeta": (
        (1.00001, 0.5, "100001.9635229055462726"),
        (1.5, 3.0, "1.258821958092214581148"),
        (2.0, 0.001, "1000001.642533195827345"),
        (5.5, 12.0, "0.000003717778721548210041643"),
        (30.0, 2.0, "9.313274324196681828718e-10"),
        (3.0, 100000000.0, "5.00000005000000025e-17"),
        (3.0, -1.25, "-61.86068339183118018428"),
        (4.0, -7.6, "47.26642750533331989474"),
    ),
    "polygamma": (
        (0.0, 1.5, "0.03648997397857652055902"),
        (1.0, 0.1, "101.4332991507927477047"),
        (2.0, 3.0, "-0.1541138063191885707995"),
        (7.0, 2.5, "3.565236352523131351838"),
        (30.0, 4.0, "-57574709672867.34708859"),
        (1.0, -1.25, "19.1818796476716064984"),
        (3.0, 1000000.0, "2.000003000002e-18"),
    ),
    "igamma": (
        (0.5, 0.2, "0.4729107431344619263348"),
        (3.0, 1.0, "0.08030139707139419601119"),
        (3.0, 9.0, "0.9937678048936226827504"),
        (50.0, 40.0, "0.07033506665939495443726"),
        (50.0, 70.0, "0.9948594975414941061005"),
        (1e-08, 0.5, "0.9999999944022640229004"),
        (700.0, 650.0, "0.0271700556346227522758"),
        (20000.0, 20100.0, "0.760616705561417648139"),
        (1000000.0, 998000.0, "0.02269611400673680280602"),
    ),
    "igammac": (
        (0.5, 0.2, "0.5270892568655380736652"),
        (3.0, 1.0, "0.9196986029286058039888"),
        (3.0, 9.0, "0.006232195106377317249631"),
        (50.0, 40.0, "0.9296649333406050455627"),
        (50.0, 70.0, "0.005140502458505893899489"),
        (1e-08, 0.5, "5.597735977099587104886e-9"),
        (700.0, 650.0, "0.9728299443653772477242"),
        (20000.0, 20100.0, "0.239383294438582351861"),
        (1000000.0, 998000.0, "0.977303885993263197194"),
    ),
    "igamma_grad_a": (
        (0.5, 0.2, "-0.8201614064863388779032"),
        (3.0, 1.0, "-0.1064593529439422670227"),
        (3.0, 9.0, "-0.008695466419742525875866"),
        (50.0, 40.0, "-0.01982189288222866120726"),
        (50.0, 70.0, "-0.001984018680936286893387"),
        (700.0, 650.0, "-0.002398012436125151847331"),
        (20000.0, 20100.0, "-0.002193311604199843501638"),
        (100000.0, 99900.0, "-0.001200600318033422891025"),
    ),
    "betainc": (
        (0.5, 0.5, 0.1, "0.2048327646991334575391"),
        (2.0, 3.0, 0.4, "0.5248000000000000383693"),
        (30.0, 0.5, 0.9, "0.0122824484998527597753"),
        (0.2, 40.0, 0.01, "0.8517295130940520891702"),
        (200.0, 300.0, 0.35, "0.01034177025468759118626"),
        (5000.0, 20.0, 0.995, "0.1290543521623164019328"),
        (12.0, 10000.0, 0.001, "0.3044192836747271246627"),
    ),
}


def computed(op: str, *arguments: np.ndarray) -> np.ndarray:
    return call(f"{op}.f64.f64", *(np.ascontiguousarray(a, np.float64) for a in arguments))


@pytest.mark.parametrize("op", sorted(VALUES))
def test_known_values(op: str) -> None:
    *arguments, expected = zip(*VALUES[op], strict=True)
    error = errors_in_ulp(computed(op, *map(np.array, arguments)), np.array([LONG(v) for v in expected]))
    # Below 0 only the absolute error is small near a root; there are none among these points.
    assert error.max() <= UNITS[op], list(zip(VALUES[op], error, strict=True))


def uniform(low: float, high: float, count: int = 5000) -> np.ndarray:
    return np.random.default_rng(int(abs(low) * 7 + high)).uniform(low, high, count)


def powers(low: float, high: float, count: int = 5000) -> np.ndarray:
    return 10.0 ** uniform(low, high, count)


UNARY: dict[str, tuple[Callable[..., Any], list[np.ndarray]]] = {
    "asinh": (np.arcsinh, [uniform(-3, 3), powers(-20, 300)]), "acosh": (np.arccosh, [uniform(1, 3), powers(0.3, 300)]),
    "atanh": (np.arctanh, [uniform(-1, 1)]), "digamma": (exact.digamma, [uniform(0.01, 1.3), uniform(1.6, 20)]),
    "lgamma": (exact.lgamma, [uniform(0, 0.8), uniform(1.2, 1.8), uniform(2.2, 20), powers(1, 100)]),
    "bessel_i0e": (lambda x: exact.bessel(0, x), [uniform(-8, 8), uniform(8, 100), powers(-5, 100)]),
    "bessel_i1e": (lambda x: exact.bessel(1, x), [uniform(-8, 8), uniform(8, 100), powers(-5, 100)]),
}


@pytest.mark.parametrize("op", sorted(UNARY))
def test_error_of_one_argument(op: str) -> None:
    reference, intervals = UNARY[op]
    for x in intervals:
        error = errors_in_ulp(computed(op, x), reference(x.astype(LONG)))
        assert error.max() <= UNITS[op], (x[error.argmax()], error.max())


BINARY: dict[str, tuple[Callable[..., Any], list[tuple[np.ndarray, np.ndarray]]]] = {
    "zeta": (exact.zeta, [(uniform(1.001, 30), uniform(0.01, 30)), (powers(0.1, 2), powers(-1, 5))]),
    "polygamma": (exact.polygamma, [(np.floor(uniform(0, 20)), powers(-1, 2))]),
    "igamma": (lambda a, x: exact.gamma_parts(a, x)[0], []), "igammac": (lambda a, x: exact.gamma_parts(a, x)[1], []),
    "igamma_grad_a": (lambda a, x: exact.gamma_parts(a, x, slope=True)[0], []),
}
GAMMA = [(uniform(0.01, 5, 1000), uniform(0.01, 5.1, 1000)), (powers(-2, 2, 1000), powers(-2, 2.1, 1000))]


@pytest.mark.parametrize("op", sorted(BINARY))
def test_error_of_two_arguments(op: str) -> None:
    reference, pairs = BINARY[op]
    for a, x in pairs or GAMMA:
        wanted = reference(a.astype(LONG), x.astype(LONG))
        kept = np.abs(wanted) > 1e-250
        if op == "polygamma":
            kept &= np.abs(wanted) > 0.1                  # order 0 has a root
        error = errors_in_ulp(computed(op, a, x), wanted)[kept]
        assert error.max() <= UNITS[op], (a[kept][error.argmax()], x[kept][error.argmax()], error.max())


@pytest.mark.parametrize("large", [1.1e4, 1e6, 1e10])
def test_incomplete_gamma_near_large_arguments(large: float) -> None:
    a = np.full(200, large)
    x = large + np.sqrt(large) * np.random.default_rng(0).normal(size=200) * 3
    lower, upper = exact.gamma_parts(a, x)
    slope = exact.gamma_parts(a, x, slope=True)[0]
    for op, wanted in (("igamma", lower), ("igammac", upper), ("igamma_grad_a", slope)):
        assert errors_in_ulp(computed(op, a, x), wanted).max() <= UNITS[op], op


def test_error_of_betainc() -> None:
    for a, b, x in ((uniform(0.05, 5), uniform(0.05, 5.2), uniform(0, 1)),
                    (powers(-1, 2), powers(-1, 2.1), uniform(0, 1))):
        wanted = exact.beta(a, b, x)
        kept = wanted > 1e-250
        # Where the result is small because the complement is near 1, that one's absolute error is all that is promised.
        kept &= (x <= (a + 1) / (a + b + 2)) | (wanted > 0.01)
        error = errors_in_ulp(computed("betainc", a, b, x), wanted)[kept]
        assert error.max() <= UNITS["betainc"]


@pytest.mark.parametrize("dtype", ["i32", "i64"])
def test_population_count(dtype: str) -> None:
    kind = np.int32 if dtype == "i32" else np.int64
    x = np.array([0, 1, -1, 255, np.iinfo(kind).min, np.iinfo(kind).max], kind)
    bits = 32 if dtype == "i32" else 64
    wanted = [bin(int(v) % 2**bits).count("1") for v in x]
    np.testing.assert_array_equal(call(f"population_count.{dtype}.{dtype}", x), wanted)


@pytest.mark.parametrize("dtype", ["f32", "f64"])
def test_next_after_and_what_is_0_where_a_factor_is(dtype: str) -> None:
    kind = np.float32 if dtype == "f32" else np.float64
    values = np.array([0, -0.0, 1, -1, 1 + np.finfo(kind).eps, np.inf, -np.inf, np.nan, np.finfo(kind).max,
                       np.finfo(kind).smallest_subnormal, np.finfo(kind).smallest_normal], kind)
    x, y = (v.ravel().copy() for v in np.meshgrid(values, values))
    with np.errstate(all="ignore"):
        for op, wanted in (("next_after", np.nextafter(x, y)), ("mul_no_nan", np.where(y == 0, 0, x * y)),
                           ("div_no_nan", np.where(y == 0, 0, x / y))):
            np.testing.assert_array_equal(call(f"{op}.{dtype}.{dtype}", x, y), wanted, op)
