"use strict";
(function () {
  var root = document.documentElement;
  var config = {
    displaylogo: false, displayModeBar: "hover", responsive: true, showSendToCloud: false,
    modeBarButtonsToRemove: ["lasso2d", "select2d", "autoScale2d"],
    toImageButtonOptions: { format: "svg" }
  };
  var sans = getComputedStyle(root).getPropertyValue("--sans").trim();

  // Replace colour tokens such as "@accent" by the style sheet's colours; other text is left alone.
  function paint(value, isColour) {
    if (Array.isArray(value)) { return value.map(function (item) { return paint(item, isColour); }); }
    if (value && typeof value === "object") {
      var copy = {};
      Object.keys(value).forEach(function (key) { copy[key] = paint(value[key], /color(scale)?$/.test(key)); });
      return copy;
    }
    if (isColour && typeof value === "string" && value.charAt(0) === "@") {
      return getComputedStyle(root).getPropertyValue("--" + value.slice(1)).trim();
    }
    return value;
  }
  function draw(element) {
    var spec = JSON.parse(document.getElementById(element.id + "-data").textContent);
    var figure = paint(spec, false);
    figure.layout.font.family = sans;
    if (root.dataset.print) { figure.layout.width = 1000; }
    if (element.dataset.scale) { figure.layout.yaxis.type = element.dataset.scale; }
    Plotly.react(element, figure.data, figure.layout, config);
    markScale(element.id, figure.layout.yaxis.type);
  }
  function markScale(figure, scale) {
    document.querySelectorAll("button[data-figure]").forEach(function (button) {
      if (button.dataset.figure === figure) { button.setAttribute("aria-pressed", String(button.dataset.scale === scale)); }
    });
  }
  var charts = Array.from(document.querySelectorAll(".chart"));
  function redraw() { charts.forEach(draw); }

  // One chart after the other, so that the page can be read and scrolled meanwhile.
  function drawFrom(position) {
    if (position < charts.length) {
      draw(charts[position]);
      setTimeout(function () { drawFrom(position + 1); }, 0);
    }
  }
  drawFrom(0);
  window.addEventListener("beforeprint", function () { root.dataset.print = "yes"; redraw(); });
  window.addEventListener("afterprint", function () { delete root.dataset.print; redraw(); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", function () { redraw(); });

  document.querySelectorAll("button[data-figure]").forEach(function (button) {
    button.addEventListener("click", function () {
      var chart = document.getElementById(button.dataset.figure);
      chart.dataset.scale = button.dataset.scale;
      draw(chart);
    });
  });

  // Sorting: by the full-precision value of each cell; what is missing stays at the end.
  function sortBy(table, column, descending) {
    var body = table.tBodies[0];
    var rows = Array.from(body.rows);
    function key(row) {
      var text = row.cells[column].dataset.sort;
      return text === "" ? null : isNaN(Number(text)) ? text : Number(text);
    }
    rows.sort(function (left, right) {
      var a = key(left), b = key(right);
      if (a === null || b === null) { return (a === null) - (b === null); }
      var order = typeof a === "number" && typeof b === "number" ? a - b : String(a) < String(b) ? -1 : String(a) > String(b) ? 1 : 0;
      return descending ? -order : order;
    });
    rows.forEach(function (row) { body.appendChild(row); });
  }
  document.querySelectorAll("table.sortable").forEach(function (table) {
    Array.from(table.tHead.rows[0].cells).forEach(function (head, column) {
      head.tabIndex = 0;
      function toggle() {
        var first = head.classList.contains("num") && column > 0 ? "descending" : "ascending";
        var now = head.getAttribute("aria-sort");
        var next = now === null ? first : now === "descending" ? "ascending" : "descending";
        Array.from(table.tHead.rows[0].cells).forEach(function (cell) { cell.removeAttribute("aria-sort"); });
        head.setAttribute("aria-sort", next);
        sortBy(table, column, next === "descending");
      }
      head.addEventListener("click", toggle);
      head.addEventListener("keydown", function (event) { if (event.key === "Enter") { toggle(); } });
    });
  });

  // Mark the section in view.
  var links = Array.from(document.querySelectorAll("nav a:not(.brand)"));
  var seen = new IntersectionObserver(function (entries) {
    entries.forEach(function (entry) {
      if (!entry.isIntersecting) { return; }
      links.forEach(function (link) { link.classList.toggle("here", link.hash === "#" + entry.target.id); });
    });
  }, { rootMargin: "-15% 0px -75% 0px" });
  document.querySelectorAll("main section").forEach(function (section) { seen.observe(section); });
}());
