package main

import (
	"cmp"
	"fmt"
	"html"
	"math"
	"slices"
	"strings"
)

// The measures of a drawing, in pixels.
const (
	curveWidth, curveHeight = 840, 400
	curveLeft, curveRight   = 64, 270 // beside the plot; names stand on the right
	curveTop, curveBottom   = 56, 48
	nameHeight              = 16 // between two names
)

// curves is a drawing: how figures grow with the rows of the database.
type curves struct {
	title, unit string
	steps       []string // what stands below, from left to right
	lines       []line
}

type line struct {
	name   string
	values []float64 // one a step
}

// hues are the colours of the lines, in turn; none tells anything by itself.
var hues = []string{"#2f6fde", "#c2410c", "#15803d", "#7e22ce", "#0e7490", "#b91c1c", "#a16207", "#4b5563", "#be185d"}

// svg draws the lines. It follows the colours of who looks at it.
func (c curves) svg() string {
	most := 0.0
	for _, l := range c.lines {
		most = max(most, slices.Max(l.values))
	}
	top := niceAbove(most)
	x := func(step int) float64 {
		return curveLeft + float64(step)*(curveWidth-curveLeft-curveRight)/float64(max(1, len(c.steps)-1))
	}
	y := func(value float64) float64 {
		return curveHeight - curveBottom - value/top*(curveHeight-curveTop-curveBottom)
	}
	var text strings.Builder
	fmt.Fprintf(&text, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-label="%s">`+"\n",
		curveWidth, curveHeight, html.EscapeString(c.title))
	text.WriteString(`<style>text{font:13px system-ui,sans-serif;fill:#1f2937}.grid{stroke:#d1d5db}path{fill:none;stroke-width:2}` +
		`@media(prefers-color-scheme:dark){text{fill:#e5e7eb}.grid{stroke:#4b5563}}</style>` + "\n")
	fmt.Fprintf(&text, `<text x="%d" y="24" font-weight="bold">%s</text>`+"\n", curveLeft, html.EscapeString(c.title))
	const grid = 4
	for i := range grid + 1 {
		value := top * float64(i) / grid
		fmt.Fprintf(&text, `<line class="grid" x1="%d" x2="%d" y1="%.1f" y2="%.1f"/><text x="%d" y="%.1f" text-anchor="end">%s</text>`+"\n",
			curveLeft, curveWidth-curveRight, y(value), y(value), curveLeft-8, y(value)+4, figure(value)+c.unit)
	}
	for i, step := range c.steps {
		fmt.Fprintf(&text, `<text x="%.1f" y="%d" text-anchor="middle">%s</text>`+"\n", x(i), curveHeight-curveBottom+24, html.EscapeString(step))
	}
	places := c.places(y)
	for i, l := range c.lines {
		var points []string
		for step, value := range l.values {
			points = append(points, fmt.Sprintf("%.1f %.1f", x(step), y(value)))
		}
		hue := hues[i%len(hues)]
		fmt.Fprintf(&text, `<path stroke="%s" d="M%s"/><text x="%d" y="%.1f" style="fill:%s">%s %s</text>`+"\n", hue,
			strings.Join(points, "L"), curveWidth-curveRight+10, places[i]+4, hue, html.EscapeString(l.name), figure(l.values[len(l.values)-1])+c.unit)
	}
	text.WriteString("</svg>\n")
	return text.String()
}

// places is where the names of the lines stand: at their ends, but below one another.
func (c curves) places(y func(float64) float64) []float64 {
	order := make([]int, len(c.lines))
	for i := range order {
		order[i] = i
	}
	end := func(i int) float64 { return y(c.lines[i].values[len(c.lines[i].values)-1]) }
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(end(a), end(b)) })
	places := make([]float64, len(c.lines))
	last := math.Inf(-1)
	for _, i := range order {
		last = max(end(i), last+nameHeight)
		places[i] = last
	}
	return places
}

// niceAbove is the least of 1, 2, 4, 6 and 8 times a power of ten that is not below.
func niceAbove(value float64) float64 {
	if value <= 0 {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(value)))
	for _, times := range []float64{1, 2, 4, 6, 8} {
		if times*power >= value {
			return times * power
		}
	}
	return 10 * power
}

// figure is a number as people write it.
func figure(value float64) string {
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.2f", value), "0"), ".")
}
