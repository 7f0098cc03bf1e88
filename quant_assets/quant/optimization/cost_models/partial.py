"""Cost model `partial`: go half of the way."""

from typing import ClassVar

from quant_assets.quant.optimization.cost_models.base import CostModel, Floats

RATE = 0.5


class Partial(CostModel):
    """Trade half of the distance to the target.

    With quadratic costs the best policy trades a constant share of the way towards an aim
    (Garleanu & Pedersen 2013, "Dynamic trading with predictable returns and transaction costs");
    the share here is not fitted.
    """

    name: ClassVar[str] = "partial"

    def aim(self, target: Floats, previous: Floats) -> Floats:
        """See the base class."""
        return previous + RATE * (target - previous)
