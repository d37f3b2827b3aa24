"use strict";
// Lines over time as SVG. A picture has a fixed number of places, the last of
// which is now.

const svgSpace = "http://www.w3.org/2000/svg";

// points places values, the latest last, in a picture; null leaves a gap.
function points(values, width, height, top) {
  const runs = [[]];
  values.forEach((v, i) => {
    if (v === null) runs.push([]);
    else runs.at(-1).push(`${width - values.length + 1 + i},${(height - 1 - (height - 2) * Math.min(1, v / top)).toFixed(1)}`);
  });
  return runs.filter(run => run.length > 0);
}

// draw puts one line for each list of values into an SVG of that size.
function draw(svg, width, height, top, lines) {
  const drawn = lines.flatMap((values, i) => points(values, width, height, top).map(run => {
    const line = document.createElementNS(svgSpace, "polyline");
    line.setAttribute("class", i === 0 ? "first" : "second");
    line.setAttribute("points", run.length === 1 ? `${run[0]} ${run[0]}` : run.join(" "));
    return line;
  }));
  svg.replaceChildren(...drawn);
}

// sparkline returns a small empty picture.
function sparkline() {
  const svg = document.createElementNS(svgSpace, "svg");
  svg.setAttribute("viewBox", "0 0 59 16");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("role", "img");
  return svg;
}

// ceiling returns the next round number that is no less.
function ceiling(most) {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, most)));
  return [1, 2, 5, 10].map(n => n * power).find(n => n >= most);
}
