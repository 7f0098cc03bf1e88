"""Cost model `none`: trade to the target, whatever it costs."""

from typing import ClassVar

from quant_assets.quant.optimization.cost_models.base import CostModel, Floats


class NoCosts(CostModel):
    """The target itself."""

    name: ClassVar[str] = "none"

    def aim(self, target: Floats, previous: Floats) -> Floats:  # noqa: ARG002 - the base's signature
        """See the base class."""
        return target
