// Draws each plotly figure when it comes near the window, in the colours of the page; all of them before printing.
(() => {
  const NARROW = 520; // pixels: a phone
  const PAPER = 680; // pixels: the text width of a printed page
  const PANEL = 225, PICTURE = 64; // pixels: the least width of one of several panels, or of one of many pictures

  const boxes = () => [...document.querySelectorAll(".book-plotly")];
  const plots = () => [...document.querySelectorAll(".book-plotly > .js-plotly-plot")];
  const isDark = () => document.documentElement.dataset.theme === "dark";
  const axes = (layout) => Object.keys(layout).filter((name) => /^[xy]axis\d*$/.test(name));

  const themed = (layout) => {
    const [text, grid, line, hover] = isDark()
      ? ["#d6dbe1", "#3a444f", "#5b6773", "#202a33"]
      : ["#23303d", "#e2e7ec", "#b9c2cb", "#ffffff"];
    const changes = {
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      "font.color": text,
      "legend.bgcolor": "rgba(0,0,0,0)",
      "hoverlabel.bgcolor": hover,
      "hoverlabel.font.color": text,
    };
    for (const axis of axes(layout)) {
      changes[`${axis}.gridcolor`] = grid;
      changes[`${axis}.zerolinecolor`] = line;
      changes[`${axis}.linecolor`] = line;
    }
    return changes;
  };

  // Panels side by side keep a least width and scroll inside their box.
  const leastWidth = ({ data, layout }) => {
    const starts = axes(layout).filter((name) => name.startsWith("x")).map((name) => layout[name].domain?.[0] ?? 0);
    const columns = new Set(starts).size;
    return columns > 1 ? columns * (data.some((trace) => trace.type === "image") ? PICTURE : PANEL) : 0;
  };

  // On a phone the legend stands above, margins are small, and a finger scrolls the page instead of zooming.
  const fitted = (layout, width) => {
    if (width >= NARROW) return layout;
    const margin = { ...layout.margin, l: Math.min(layout.margin?.l ?? 60, 52), r: Math.min(layout.margin?.r ?? 20, 20) };
    const legend = { ...layout.legend, orientation: "h", x: 0, xanchor: "left", y: 1.02, yanchor: "bottom" };
    return { ...layout, margin, legend, dragmode: false, font: { ...layout.font, size: 11 } };
  };

  const draw = (box) => {
    if (box.dataset.drawn) return;
    box.dataset.drawn = "yes";
    const figure = JSON.parse(box.querySelector("script").textContent);
    const plot = box.appendChild(document.createElement("div"));
    plot.style.minWidth = `${leastWidth(figure)}px`;
    Plotly.newPlot(plot, figure.data, fitted(figure.layout, box.clientWidth), figure.config);
    Plotly.relayout(plot, themed(plot._fullLayout));
  };

  const retheme = () => plots().forEach((plot) => Plotly.relayout(plot, themed(plot._fullLayout)));

  let screenTheme;
  const toPaper = () => {
    screenTheme = document.documentElement.dataset.theme;
    document.documentElement.dataset.theme = "light";
    boxes().forEach(draw);
    plots().forEach((plot) => Plotly.relayout(plot, { ...themed(plot._fullLayout), width: PAPER }));
  };
  const toScreen = () => {
    document.documentElement.dataset.theme = screenTheme;
    plots().forEach((plot) => Plotly.relayout(plot, { ...themed(plot._fullLayout), width: null, autosize: true }));
  };

  document.addEventListener("DOMContentLoaded", () => {
    new MutationObserver(retheme).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    window.addEventListener("beforeprint", toPaper);
    window.addEventListener("afterprint", toScreen);
    const near = new IntersectionObserver(
      (entries) =>
        entries.filter((entry) => entry.isIntersecting).forEach((entry) => {
          near.unobserve(entry.target);
          draw(entry.target);
        }),
      { rootMargin: "600px" },
    );
    boxes().forEach((box) => near.observe(box));
  });
})();
