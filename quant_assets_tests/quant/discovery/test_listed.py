"""Screen `listed`."""

from quant_assets.quant.discovery.listed import Listed
from quant_assets_tests.quant.discovery.inputs import make_inputs


def test_delisted_symbol_fails_with_value_zero():
    inputs, screen = make_inputs([[1.0, 1.0]], listed=[True, False]), Listed()
    values = screen.measure(inputs)
    assert values.tolist() == [1.0, 0.0]
    assert screen.passes(values, screen.limit(inputs.parameters)).tolist() == [True, False]
