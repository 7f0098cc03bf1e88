"""How orders become fills, and what that costs: plug-ins of eight kinds put together."""

import difflib
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, fields, replace
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple, Self, cast

import numpy as np
import pandas as pd

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.core.hashing import digest
from quant_assets.core.parameters import Parameters, number, plug_in
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.market.bars import sealed
from quant_assets.quant.simulation.execution.borrow.base import BORROW, BorrowModel
from quant_assets.quant.simulation.execution.clocks import calendar_days
from quant_assets.quant.simulation.execution.commissions.base import COMMISSIONS, CommissionModel
from quant_assets.quant.simulation.execution.fills.base import FILLS, FillModel, detail_bars
from quant_assets.quant.simulation.execution.fills.next_close import NextClose
from quant_assets.quant.simulation.execution.fills.next_open import NextOpen
from quant_assets.quant.simulation.execution.fills.same_close import SameClose
from quant_assets.quant.simulation.execution.fills.vwap_like import VwapLike
from quant_assets.quant.simulation.execution.funding.base import FUNDING, FundingModel
from quant_assets.quant.simulation.execution.fx.base import FX, FxModel
from quant_assets.quant.simulation.execution.instruments.base import INSTRUMENTS, InstrumentModel
from quant_assets.quant.simulation.execution.margin.base import MARGIN, MarginModel
from quant_assets.quant.simulation.execution.slippage.base import (
    SLIPPAGE,
    SlippageModel,
    added_terms,
    joined_arrays,
)
from quant_assets.quant.simulation.execution.slippage.fixed import FixedSlippage
from quant_assets.quant.simulation.execution.terms import (
    SAME_CLOSE,
    CarryTerms,
    CommissionTerms,
    DetailBars,
    ExecutionTerms,
    FillTerms,
    InstrumentTerms,
    SlippageTerms,
)

__all__ = ["ExecutionModel"]

NO_PRICES = np.empty((0, 0))
NO_DETAIL = DetailBars(NO_PRICES, NO_PRICES, NO_PRICES, NO_PRICES, np.empty(0, dtype=np.int64))
Spelling = str | Mapping[str, Any] | Parameters


class Family(NamedTuple):
    """A kind of plug-in of the model: its package and base class."""

    package: str
    base: type[Any]


FAMILIES: Mapping[str, Family] = {
    "fill_model": Family(FILLS, FillModel),
    "slippage_model": Family(SLIPPAGE, SlippageModel),
    "commission_model": Family(COMMISSIONS, CommissionModel),
    "borrow_model": Family(BORROW, BorrowModel),
    "funding_model": Family(FUNDING, FundingModel),
    "margin_model": Family(MARGIN, MarginModel),
    "fx_model": Family(FX, FxModel),
    "instrument_model": Family(INSTRUMENTS, InstrumentModel),
}
FREE_FILLS: Mapping[int, type[FillModel]] = {
    kind.model: kind for kind in (NextOpen, NextClose, VwapLike, SameClose)
}
AUDIT_PARTICIPATION, AUDIT_BPS = 0.05, 5.0
PRESETS: Mapping[str, Mapping[str, Any]] = {
    "optimistic": {
        "fill_model": {"next_open": {"same_bar": "best"}},
        "slippage_model": "none",
        "commission_model": "none",
        "borrow_model": "none",
    },
    "default": {},
    "realistic_volume": {
        "fill_model": {
            "realistic_volume": {"participation": 0.10, "limits": "through", "time_to_live": 5}
        },
        "slippage_model": {"sqrt_volume": {"coefficient": 1.0, "exponent": 0.5, "lookback": 20}},
        "commission_model": {"interactive_brokers": {"plan": "fixed"}},
        "borrow_model": {"annual_rate": {"rate": 0.0025}},
    },
    "pessimistic": {
        "fill_model": {"realistic_volume": {"participation": AUDIT_PARTICIPATION, "latency": 1}},
        "slippage_model": [{"fixed": {"bps": AUDIT_BPS}}, "sqrt_volume"],
        "commission_model": {"percent": {"bps": 10.0}},
        "borrow_model": {"annual_rate": {"rate": 0.01}},
    },
}


@dataclass(frozen=True, kw_only=True)
class ExecutionModel(Parameters):
    """Fills, slippage, commission, borrow, funding, margin, currencies and lots of a backtest.

    Each plug-in is given as an object, by its name, or as `{name: {parameter: value}}`, as YAML
    spells it; `slippage_model` also as a list, whose parts add up. Afterwards they are objects
    (`slippage_model` a tuple of them).

    cash_rate, debit_rate : yearly rates on positive and on negative own cash, ACT/365; what shorts
        are worth is not one's own. short_rebate : what the lender pays on that value.
    slippage_scale, commission_scale : factors on all of slippage and commission, to see at which
        costs a strategy stops to earn.
    """

    name: ClassVar[str] = "execution"
    fill_model: Spelling = "next_open"
    slippage_model: Spelling | Sequence[Spelling] = "fixed"
    commission_model: Spelling = "percent"
    borrow_model: Spelling = "annual_rate"
    funding_model: Spelling = "settlements"
    margin_model: Spelling = "cash_account"
    fx_model: Spelling = "none"
    instrument_model: Spelling = "fractional"
    cash_rate: float = number(0.0, above=-1.0)
    debit_rate: float = number(0.0, least=0.0)
    short_rebate: float = number(0.0, above=-1.0)
    slippage_scale: float = number(1.0, least=0.0)
    commission_scale: float = number(1.0, least=0.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        for key, family in FAMILIES.items():
            given = getattr(self, key)
            listed = isinstance(given, Sequence) and not isinstance(given, str)
            if key == "slippage_model":
                parts = given if listed else (given,)
                made: Any = tuple(plug_in(family.package, family.base, part) for part in parts)
            else:
                made = plug_in(family.package, family.base, given)
            object.__setattr__(self, key, made)
        added_terms(self.slippage)

    @classmethod
    def preset(cls, name: str) -> Self:
        """One of `PRESETS` by its name, with the numbers of docs/methods/execution.md."""
        if not isinstance(name, str) or name not in PRESETS:
            raise ConfigError(f"no preset {name!r} of the execution; known: {sorted(PRESETS)}")
        return cls(**PRESETS[name])

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> Self:
        """The section `execution` of a YAML file; `preset` names what the other keys change."""
        known = [*(one.name for one in fields(cls)), "preset"]
        for key in settings:
            if key not in known:
                near = difflib.get_close_matches(str(key), known, n=1)
                hint = f"; did you mean {near[0]!r}?" if near else ""
                raise ConfigError(f"execution has no setting {key!r}; it has {known}{hint}")
        own = {key: value for key, value in settings.items() if key != "preset"}
        return replace(cls.preset(settings.get("preset", "default")), **own)

    @property
    def fills(self) -> FillModel:
        """The fill model."""
        return cast("FillModel", self.fill_model)

    @property
    def slippage(self) -> tuple[SlippageModel, ...]:
        """The slippage models that add up."""
        return cast("tuple[SlippageModel, ...]", self.slippage_model)

    def settings(self) -> dict[str, Any]:
        """All plug-ins and numbers as YAML would give them; `from_settings` reads them back."""
        values = self.parameters()
        for key in FAMILIES:
            parts = self.slippage if key == "slippage_model" else (getattr(self, key),)
            spelled = [{part.name: part.parameters()} for part in parts]
            values[key] = spelled if key == "slippage_model" else spelled[0]
        return values

    def digest(self) -> str:
        """SHA-256 of all parameters and of the logic of all plug-ins."""
        parts = [*self.slippage, *(getattr(self, k) for k in FAMILIES if k != "slippage_model")]
        numbers = {k: v for k, v in self.parameters().items() if k not in FAMILIES}
        return digest({"plug_ins": [part.digest() for part in parts], "numbers": numbers})

    def assumptions(self, symbols: Sequence[str] = ()) -> tuple[str, ...]:
        """What a report must say of this execution, of these symbols, beside its numbers."""
        found = []
        if self.fills.model == SAME_CLOSE:
            found.append("market orders fill at the close that decided them")
        if self.fills.same_bar == "best":
            found.append("of stop and target inside one bar the target is taken")
        if cast("FundingModel", self.funding_model).name == "assume_zero":
            found.append("funding is assumed to be zero")
        return (*found, *cast("FxModel", self.fx_model).doubts(symbols))

    def audit(self) -> dict[str, Self]:
        """The same execution with better and worse fills; commission and carry stay as they are.

        optimistic : limits on a touch, target before stop, no latency, all volume, no slippage.
        pessimistic : limits traded through, stop before target, a bar of latency more, at most 5 %
        of the volume, 5 bps of slippage more. Fills at the deciding close move to the next open.
        """
        plain = FREE_FILLS[self.fills.model]
        best = replace(
            self, fill_model=plain(same_bar="best"), slippage_model="none", slippage_scale=1.0
        )
        own = NextOpen() if self.fills.model == SAME_CLOSE else self.fills
        worse = replace(
            own,
            limits="through",
            same_bar="worst",
            latency=own.latency + (self.fills.model != SAME_CLOSE),
            participation=min(own.participation, AUDIT_PARTICIPATION),
        )
        slipping = (*self.slippage, FixedSlippage(bps=AUDIT_BPS))
        worst = replace(self, fill_model=worse, slippage_model=slipping)
        return {"optimistic": best, "default": self, "pessimistic": worst}

    def terms(
        self,
        bars: BarPanel,
        *,
        detail: BarPanel | None = None,
        funding: pd.DataFrame | None = None,
        rates: pd.DataFrame | None = None,
        first: int = 0,
    ) -> ExecutionTerms:
        """All that the kernel is told for these bars.

        detail : bars of a finer clock. funding : settlements with `ts`, `symbol`, `rate` and
        `mark_price`. rates : of currencies, with `ts`, `available_at`, `symbol` and `rate`. first :
        row of the first bar that is traded; those before it need neither funding nor rates.
        """
        traded = bars.rows(slice(first, None)) if first else bars
        return ExecutionTerms(
            fills=self._fill_terms(),
            slippage=self._slippage_terms(),
            commission=self._commission_terms(),
            carry=self._carry_terms(bars, traded, funding),
            margin=cast("MarginModel", self.margin_model).terms(bars.symbols),
            instruments=self._instrument_terms(bars, traded, rates),
            detail=self._detail(bars, detail),
        )

    def priced(self, bars: BarPanel) -> BarPanel:
        """The bars with the extras that slippage multiplies, as the kernel's preparation asks.

        `volatility` (per bar) and `average_volume` (units a bar), known before their bar opens, and
        `spread` without NaN: those that the slippage models give. They take the place of extras of
        these names.
        """
        arrays = joined_arrays(self.slippage, bars)._asdict()
        given = {name: sealed(values) for name, values in arrays.items() if values.size}
        for name, values in given.items():
            if values.shape != bars.close.shape or values.dtype != np.float64:
                raise DataError(f"{name} of the slippage is {values.dtype} {values.shape}")
        if not given:
            return bars
        priced = copy(bars)  # whose prices have been checked
        object.__setattr__(priced, "extras", MappingProxyType({**bars.extras, **given}))
        return priced

    def _fill_terms(self) -> FillTerms:
        terms = self.fills.terms()
        limits = [terms.participation, *(model.participation for model in self.slippage)]
        return terms._replace(participation=float(min(limits)))

    def _slippage_terms(self) -> SlippageTerms:
        terms, scale = added_terms(self.slippage), self.slippage_scale
        return terms._replace(
            fixed=scale * terms.fixed,
            half_spread=scale * terms.half_spread,
            impact=scale * terms.impact,
            volume_share=scale * terms.volume_share,
        )

    def _commission_terms(self) -> CommissionTerms:
        terms = cast("CommissionModel", self.commission_model).terms()
        if self.commission_scale == 1.0:
            return terms
        scaled = {
            name: self.commission_scale * value
            for name, value in terms._asdict().items()
            if name not in {"tier_from", "increment"} and np.isfinite(value).all()
        }
        return terms._replace(**scaled)

    def _carry_terms(
        self, bars: BarPanel, traded: BarPanel, funding: pd.DataFrame | None
    ) -> CarryTerms:
        events = cast("FundingModel", self.funding_model).events(traded, funding)
        events = events._replace(bar=events.bar + (len(bars) - len(traded)))
        days = calendar_days(bars.ts)
        borrow = cast("BorrowModel", self.borrow_model).rates(bars.symbols)
        carry = CarryTerms(borrow, self.cash_rate, self.debit_rate, days, *events)
        return carry._replace(rebate=self.short_rebate)

    def _instrument_terms(
        self, bars: BarPanel, traded: BarPanel, rates: pd.DataFrame | None
    ) -> InstrumentTerms:
        lots = cast("InstrumentModel", self.instrument_model).lots(bars.symbols)
        fx = cast("FxModel", self.fx_model).rates(traded, rates)
        if len(fx) > 1:  # one row holds for all bars
            fx = np.concatenate([np.ones((len(bars) - len(traded), fx.shape[1])), fx])
        return InstrumentTerms(*lots, fx=fx)

    def _detail(self, bars: BarPanel, detail: BarPanel | None) -> DetailBars:
        wanted = self.fills.detail
        if wanted is not None and (detail is None or detail.bar_length != wanted):
            found = "none" if detail is None else f"bars of {detail.bar_length}"
            raise DataError(
                f"{self.fills.name} follows orders on bars of {wanted}; the run has {found}. Give "
                "them as detail, or take another fill model"
            )
        return NO_DETAIL if detail is None else detail_bars(bars, detail)
