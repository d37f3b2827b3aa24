package bench

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// A plot is lines over two logarithmic axes.
type plot struct {
	title, x, y string
	lines       []line
	ticks       func(x float64) string // labels of the x axis
}

type line struct {
	name   string
	points []point
}

type point struct{ x, y float64 }

const (
	plotWidth, plotHeight = 720, 360
	plotLeft, plotRight   = 80, 200
	plotTop, plotBottom   = 40, 50
)

// colors can be told apart by most kinds of colour blindness.
var colors = []string{"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#999999"}

// axis maps the logarithm of a range to pixels.
type axis struct {
	low, high float64 // powers of ten
	from, to  float64 // pixels
}

func newAxis(low, high, from, to float64) axis {
	a := axis{low: math.Floor(math.Log10(low)), high: math.Ceil(math.Log10(high)), from: from, to: to}
	if a.high <= a.low {
		a.high = a.low + 1
	}
	return a
}

func (a axis) pixel(x float64) float64 {
	return a.from + (math.Log10(x)-a.low)/(a.high-a.low)*(a.to-a.from)
}

// svg returns the plot as one element; empty where there is nothing to draw.
func (p *plot) svg() string {
	x, y, ok := p.axes()
	if !ok {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" font-family="sans-serif" font-size="12">`+"\n",
		plotWidth, plotHeight, plotWidth, plotHeight)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" fill="white"/>`+"\n")
	label(&b, plotLeft, 20, "start", p.title)
	label(&b, (x.from+x.to)/2, plotHeight-8, "middle", p.x)
	label(&b, plotLeft, plotTop-6, "end", p.y)
	p.grid(&b, x, y)
	for i, l := range p.lines {
		l.draw(&b, x, y, colors[i%len(colors)], i)
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// axes returns axes that hold every point above zero.
func (p *plot) axes() (x, y axis, ok bool) {
	low, high := point{math.Inf(1), math.Inf(1)}, point{}
	for _, l := range p.lines {
		for _, at := range l.points {
			if at.x <= 0 || at.y <= 0 {
				continue
			}
			low = point{min(low.x, at.x), min(low.y, at.y)}
			high = point{max(high.x, at.x), max(high.y, at.y)}
		}
	}
	if high.x == 0 {
		return x, y, false
	}
	x = newAxis(low.x, high.x, plotLeft, plotWidth-plotRight)
	y = newAxis(low.y, high.y, plotHeight-plotBottom, plotTop)
	return x, y, true
}

// grid draws a line and a label at each power of ten.
func (p *plot) grid(b *strings.Builder, x, y axis) {
	for power := x.low; power <= x.high; power++ {
		at := x.pixel(math.Pow(10, power))
		fmt.Fprintf(b, `<path d="M%.1f %.1fV%.1f" stroke="#ddd"/>`+"\n", at, y.from, y.to)
		label(b, at, y.from+16, "middle", p.ticks(math.Pow(10, power)))
	}
	for power := y.low; power <= y.high; power++ {
		at := y.pixel(math.Pow(10, power))
		fmt.Fprintf(b, `<path d="M%.1f %.1fH%.1f" stroke="#ddd"/>`+"\n", x.from, at, x.to)
		label(b, x.from-6, at+4, "end", short(math.Pow(10, power)))
	}
}

func (l *line) draw(b *strings.Builder, x, y axis, color string, place int) {
	var path strings.Builder
	for _, at := range l.points {
		if at.x <= 0 || at.y <= 0 {
			continue
		}
		command := "L"
		if path.Len() == 0 {
			command = "M"
		}
		fmt.Fprintf(&path, "%s%.1f %.1f", command, x.pixel(at.x), y.pixel(at.y))
		fmt.Fprintf(b, `<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>`+"\n", x.pixel(at.x), y.pixel(at.y), color)
	}
	fmt.Fprintf(b, `<path d="%s" fill="none" stroke="%s" stroke-width="2"/>`+"\n", path.String(), color)
	top := float64(plotTop + 18*place)
	fmt.Fprintf(b, `<path d="M%.1f %.1fh16" stroke="%s" stroke-width="2"/>`+"\n", x.to+12, top+6, color)
	label(b, x.to+34, top+10, "start", l.name)
}

func label(b *strings.Builder, x, y float64, anchor, text string) {
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="%s">%s</text>`+"\n", x, y, anchor, html.EscapeString(text))
}

// short formats a power of ten.
func short(x float64) string {
	switch {
	case x >= 1e9:
		return fmt.Sprintf("%gG", x/1e9)
	case x >= 1e6:
		return fmt.Sprintf("%gM", x/1e6)
	case x >= 1e3:
		return fmt.Sprintf("%gk", x/1e3)
	}
	return fmt.Sprintf("%g", x)
}
