"""contrib.training.HParams, as TensorFlow 1.15 documents it."""
from __future__ import annotations

from typing import Any

import pytest

import graphc as gc

HParams, parse_values = gc.contrib.training.HParams, gc.contrib.training.parse_values


def made() -> Any:
    return HParams(rate=0.1, units=100, name="relu", sizes=[1, 2], flag=True)


def test_values_are_attributes() -> None:
    params = made()
    assert (params.rate, params.units, params.name, params.sizes, params.flag) == (0.1, 100, "relu", [1, 2], True)
    params.add_hparam("more", 2)
    assert params.values()["more"] == 2 and "more" in params and "other" not in params
    params.del_hparam("more")
    params.del_hparam("never there")
    assert "more" not in params and not hasattr(params, "more")
    assert str(HParams(b=1, a="x")) == "[('a', 'x'), ('b', 1)]" and repr(HParams(a=1)) == "HParams([('a', 1)])"
    params.set_model_structure("s")
    assert params.get_model_structure() == "s"


def test_parsing() -> None:
    params = made()
    assert params.parse("rate=1,units=5,name=a b,sizes=[3,4 ,5],flag=false") is params
    assert params.values() == {"rate": 1.0, "units": 5, "name": "a b", "sizes": [3, 4, 5], "flag": False}
    assert type(params.rate) is float and params.parse("flag=1").flag is True and params.parse("").units == 5
    assert params.parse_json('{"rate": 2, "sizes": [9]}').values()["sizes"] == [9] and params.rate == 2.0
    assert params.to_json(sort_keys=True) == ('{"flag": true, "name": "a b", "rate": 2.0, "sizes": [9], "units": 5}')
    assert parse_values("x=5,L=[1,2],arr[1]=3,arr[2]=4,no=1", {"x": int, "L": int, "arr": int}, True) == {
        "x": 5, "L": [1, 2], "arr": {1: 3, 2: 4}}


@pytest.mark.parametrize("text, message", [
    ("units=x", "Could not parse hparam 'units' of type 'int' with value 'x' in units=x"),
    ("units=1.5", "Could not parse hparam 'units'"), ("flag=maybe", "Could not parse hparam 'flag'"),
    ("other=1", "Unknown hyperparameter type for other"), ("units=1,units=2", "Multiple assignments"),
    ("units", "Malformed hyperparameter value: units"), ("sizes=3", "Must pass a list for multi-valued"),
    ("units=[1]", "Must not pass a list for single-valued"), ("sizes[0]=[1]", "Assignment of a list to a list index")])
def test_what_does_not_parse(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message.replace("[", r"\[")):
        made().parse(text)


@pytest.mark.parametrize("name, value", [("units", 1.5), ("units", True), ("flag", 1), ("name", 3), ("rate", "1")])
def test_a_value_keeps_its_type(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"Could not cast hparam '{name}'"):
        made().set_hparam(name, value)


def test_what_else_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot be empty: x"):
        HParams(x=[])
    with pytest.raises(ValueError, match="is reserved: parse"):
        HParams(parse=1)
    with pytest.raises(KeyError):
        made().set_hparam("other", 1)
    params = made()
    assert params.get("units", 3) == 100 and params.get("other", 3) == 3 and params.get("sizes", [1]) == [1, 2]
    with pytest.raises(ValueError, match="incompatible with default"):
        params.get("units", [3])
    with pytest.raises(ValueError, match="Could not cast"):
        params.get("units", "3")


def test_as_a_message() -> None:
    params = HParams(rate=0.5, units=100, name="relu", sizes=[1, 2], names=["a", "b"], flag=True, rates=[0.5],
                     flags=[False])
    message = params.to_proto()
    assert message.hparam["units"].int64_value == 100 and list(message.hparam["names"].bytes_list.value) == [b"a", b"b"]
    assert HParams.from_proto(message).values() == params.values()
    with pytest.raises(ValueError, match="mutually exclusive"):
        HParams(message, a=1)
    with pytest.raises(ValueError, match="Unsupported parameter type"):
        HParams(x=None).to_proto()
