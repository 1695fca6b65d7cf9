package hosted

import (
	"encoding/hex"
	"fmt"
	"math"
	"net/http"
	"strings"

	"latchkey"
	"latchkey/internal/web"
)

// colour is a colour of the sRGB space, each part from 0 to 1.
type colour [3]float64

// The grounds that an accent stands on: the darkest of the light scheme and
// the lightest of the dark one, as link.css has them.
var (
	lightGround = rgb(0xee, 0xf2, 0xf1)
	darkGround  = rgb(0x1e, 0x28, 0x26)
	black       = colour{0, 0, 0}
	white       = colour{1, 1, 1}
)

// legible is the least contrast of a text (WCAG 2.2, success criterion 1.4.3).
const legible = 4.5

func rgb(r, g, b uint8) colour {
	return colour{float64(r) / 255, float64(g) / 255, float64(b) / 255}
}

// parseColour reads six hexadecimal digits.
func parseColour(text string) (colour, bool) {
	parts, err := hex.DecodeString(text)
	if err != nil || len(parts) != 3 {
		return colour{}, false
	}
	return rgb(parts[0], parts[1], parts[2]), true
}

// String returns the colour as CSS writes it.
func (c colour) String() string {
	part := func(v float64) uint8 { return uint8(math.Round(v * 255)) }
	return fmt.Sprintf("#%02x%02x%02x", part(c[0]), part(c[1]), part(c[2]))
}

// rounded is the colour as a browser gets it.
func (c colour) rounded() colour {
	same, _ := parseColour(c.String()[1:])
	return same
}

// luminance is the relative luminance (WCAG 2.2, definitions).
func (c colour) luminance() float64 {
	linear := func(v float64) float64 {
		if v <= 0.04045 {
			return v / 12.92
		}
		return math.Pow((v+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(c[0]) + 0.7152*linear(c[1]) + 0.0722*linear(c[2])
}

// contrast is the contrast ratio of two colours, 1 to 21 (WCAG 2.2,
// definitions).
func contrast(one, other colour) float64 {
	light, dark := one.luminance(), other.luminance()
	if light < dark {
		light, dark = dark, light
	}
	return (light + 0.05) / (dark + 0.05)
}

// towards mixes the colour with another until it stands out enough from the
// ground.
func (c colour) towards(other, ground colour, enough float64) colour {
	for step := 0; ; step++ {
		share := float64(step) / 50
		var mixed colour
		for i := range c {
			mixed[i] = c[i]*(1-share) + other[i]*share
		}
		if mixed = mixed.rounded(); step == 50 || contrast(mixed, ground) >= enough {
			return mixed
		}
	}
}

// paint is what one scheme makes of an accent.
type paint struct {
	accent     colour // of links and of what is chosen, on the grounds
	fill       colour // of the button that goes on
	fillStrong colour // the same under the pointer
	onFill     colour // of the text on both
}

// paints returns what both schemes make of an app's accent: its own colour
// where it can be read, else the nearest that can.
func paints(accent colour) (light, dark paint) {
	light.accent = accent.towards(black, lightGround, legible)
	light.fill, light.onFill = light.accent, white
	dark.accent = accent.towards(white, darkGround, legible)
	dark.fill, dark.onFill = accent.towards(white, darkGround, 3), white // 3: WCAG 2.2, success criterion 1.4.11
	if contrast(dark.fill, white) < legible {
		dark.onFill = black
	}
	for _, p := range []*paint{&light, &dark} {
		away := black
		if p.onFill == black {
			away = white
		}
		for i := range p.fill {
			p.fillStrong[i] = p.fill[i]*0.85 + away[i]*0.15
		}
		p.fillStrong = p.fillStrong.rounded()
	}
	return light, dark
}

// accentSheet is the stylesheet of an accent.
func accentSheet(accent colour) string {
	light, dark := paints(accent)
	var plain, schemes strings.Builder
	for _, property := range []struct {
		name        string
		light, dark colour
	}{
		{"accent", light.accent, dark.accent},
		{"fill", light.fill, dark.fill},
		{"fill-strong", light.fillStrong, dark.fillStrong},
		{"on-fill", light.onFill, dark.onFill},
	} {
		fmt.Fprintf(&plain, "--%s:%s;", property.name, property.light)
		fmt.Fprintf(&schemes, "--%s:light-dark(%s,%s);", property.name, property.light, property.dark)
	}
	return ":root{" + plain.String() + "}@supports (color:light-dark(#000,#fff)){:root{" + schemes.String() + "}}\n"
}

// accentOf is an app's accent as Page has it.
func accentOf(registered string) string {
	accent := strings.ToLower(strings.TrimPrefix(registered, "#"))
	if _, ok := parseColour(accent); !ok {
		return ""
	}
	return accent
}

// serveAccent answers with the stylesheet of any colour, to be kept for ever.
func serveAccent(w http.ResponseWriter, r *http.Request) {
	name, isSheet := strings.CutSuffix(r.PathValue("file"), ".css")
	accent, ok := parseColour(name)
	if !ok || !isSheet || strings.ToLower(name) != name {
		web.WriteError(w, r, latchkey.Errorf(web.RouteNotFound, "there is no such colour"))
		return
	}
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Header().Set("Cache-Control", immutable)
	_, _ = w.Write([]byte(accentSheet(accent)))
}
