"""The compiled event loop: orders, fills, costs, limits and marking, bar by bar.

`loop.run` is its door; import it lazily, it loads numba. `fields` names what arrays hold, without
numba.

Order of events inside bar t, which spans [ts, ts + bar_length):

1. borrow and interest for the time since the bar before, on what stood at its close; funding due
   up to and including ts, on what was held before any fill at that instant;
2. the open: orders that reduce, protective exits that the open has passed, then entries, the
   strongest first;
3. inside: protective exits, then stop orders, then limit orders (on detail bars, where there are
   any, one after the other); what is opened inside is protected at once;
4. funding due inside the bar; margin at the bar's worst prices;
5. orders that fill at the close or at the average price of the bar;
6. marking at the close (a gap: the level before), trailing stops move, the books must balance;
7. the decision: signals and orders become open orders, each refusal is logged; orders that fill at
   the same close do so now.

Equity is computed twice, from balances (cash + value of positions) and from profit and loss (price
gains - costs + carry); both must agree to 1e-9.
"""
