"use strict";
(function () {
  // Another symbol: its figure takes the place of the one that is drawn.
  var chooser = document.getElementById("price-symbol");
  var price = document.getElementById("figure-price");
  function redraw() {
    var pressed = document.querySelector("button[data-figure='figure-price'][aria-pressed='true']");
    if (pressed) { pressed.click(); }
  }
  if (chooser) {
    var shown = document.getElementById("figure-price-data"), first = shown.textContent;
    chooser.addEventListener("change", function () {
      var wanted = document.getElementById("price-choice-" + chooser.value);
      shown.textContent = wanted ? wanted.textContent : first;
      redraw();
    });
  }

  // When a part of the time axis is chosen, the price axis follows what is seen there.
  function follow() {
    var full = price._fullLayout, low = Infinity, high = -Infinity;
    if (!full) { return; }
    var from = full.xaxis.range[0], to = full.xaxis.range[1];
    price.data.forEach(function (trace) {
      if (trace.yaxis === "y2" || trace.visible === "legendonly") { return; }
      var lows = trace.low || trace.y, highs = trace.high || trace.y;
      trace.x.forEach(function (x, i) {
        if (x === null || x < from || x > to || lows[i] === null) { return; }
        low = Math.min(low, lows[i]); high = Math.max(high, highs[i]);
      });
    });
    if (!(low <= high)) { return; }
    var isLog = full.yaxis.type === "log";
    var a = isLog ? Math.log10(low) : low, b = isLog ? Math.log10(high) : high;
    var pad = 0.04 * (b - a) || 0.01 * Math.abs(b) || 1;
    Plotly.relayout(price, { "yaxis.range": [a - pad, b + pad] });
  }
  // Only a change of the time axis moves the price axis: not one of the price axis itself.
  function listen() {
    if (!price.on) { setTimeout(listen, 50); return; }
    price.on("plotly_relayout", function (change) {
      var keys = Object.keys(change);
      if (keys.some(function (key) { return key.indexOf("yaxis") === 0; })) { return; }
      if (keys.some(function (key) { return key.indexOf("xaxis") === 0; })) { follow(); }
    });
  }
  listen();

  // Filters of the trades table; the sum is that of what is shown.
  var filters = document.getElementById("trade-filters");
  if (filters) {
    var table = document.querySelector("table.trades");
    var choices = Array.from(filters.querySelectorAll("select"));
    var apply = function () {
      var shown = 0, sum = 0, won = 0;
      Array.from(table.tBodies[0].rows).forEach(function (row) {
        var keep = choices.every(function (choice) {
          if (choice.value === "") { return true; }
          var cell = row.cells[Number(choice.dataset.column)];
          if (!choice.dataset.sign) { return cell.textContent === choice.value; }
          return (Number(cell.dataset.sort) > 0) === (choice.value === "1");
        });
        row.hidden = !keep;
        if (keep) {
          var result = Number(row.cells[10].dataset.sort);
          shown += 1; sum += result; won += result > 0 ? 1 : 0;
        }
      });
      var share = shown ? Math.round(100 * won / shown) + "% won, " : "";
      document.getElementById("trade-sum").textContent = shown + " trades, " + share + "result " +
        sum.toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 }).replace("-", "\u2212");
    };
    choices.forEach(function (choice) { choice.addEventListener("change", apply); });
    apply();
  }
}());
