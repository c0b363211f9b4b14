// Draws each plotly figure when it comes near the window, in the colours of the page; all of them before printing.
(() => {
  const NARROW = 520; // pixels: a phone
  const PAPER = 680; // pixels: the text width of a printed page

  const boxes = () => [...document.querySelectorAll(".book-plotly")];
  const isDark = () => document.documentElement.dataset.theme === "dark";

  const colours = () => ({
    text: isDark() ? "#d6dbe1" : "#23303d",
    grid: isDark() ? "#3a444f" : "#e2e7ec",
    line: isDark() ? "#5b6773" : "#b9c2cb",
    hover: isDark() ? "#202a33" : "#ffffff",
  });

  const themed = (layout) => {
    const { text, grid, line, hover } = colours();
    const changes = {
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      "font.color": text,
      "legend.bgcolor": "rgba(0,0,0,0)",
      "hoverlabel.bgcolor": hover,
      "hoverlabel.font.color": text,
    };
    for (const axis of Object.keys(layout).filter((name) => /^[xy]axis\d*$/.test(name))) {
      changes[`${axis}.gridcolor`] = grid;
      changes[`${axis}.zerolinecolor`] = line;
      changes[`${axis}.linecolor`] = line;
    }
    return changes;
  };

  const fitted = (layout, width) => {
    if (width >= NARROW) return layout;
    const margin = { ...layout.margin, l: Math.min(layout.margin?.l ?? 60, 52), r: Math.min(layout.margin?.r ?? 20, 20) };
    const legend = { ...layout.legend, orientation: "h", x: 0, xanchor: "left", y: 1.02, yanchor: "bottom" };
    return { ...layout, margin, legend, font: { ...layout.font, size: 11 } };
  };

  const draw = (box) => {
    if (box.dataset.drawn) return;
    box.dataset.drawn = "yes";
    const figure = JSON.parse(box.querySelector("script").textContent);
    Plotly.newPlot(box, figure.data, fitted(figure.layout, box.clientWidth), figure.config);
    Plotly.relayout(box, themed(box._fullLayout));
  };

  const drawn = () => boxes().filter((box) => box.dataset.drawn);
  const retheme = () => drawn().forEach((box) => Plotly.relayout(box, themed(box._fullLayout)));

  let screenTheme;
  const toPaper = () => {
    screenTheme = document.documentElement.dataset.theme;
    document.documentElement.dataset.theme = "light";
    document.querySelectorAll(".book-plotly").forEach(draw);
    retheme();
    drawn().forEach((box) => Plotly.relayout(box, { width: PAPER }));
  };
  const toScreen = () => {
    document.documentElement.dataset.theme = screenTheme;
    drawn().forEach((box) => Plotly.relayout(box, { width: null, autosize: true }));
    retheme();
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
