"""Selection `top_half`: the half of the streams with the best scores."""

from typing import ClassVar

from quant_assets.quant.optimization.selections.base import Mask, Offered, Selection, best


class TopHalf(Selection):
    """The better half by `alpha`, rounded up."""

    name: ClassVar[str] = "top_half"

    def choose(self, offered: Offered) -> Mask:
        """See the base class."""
        return best(offered.alpha, -(-len(offered.alpha) // 2))
