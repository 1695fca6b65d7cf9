package recipe

import (
	"regexp"
	"strconv"
	"time"

	"go.yaml.in/yaml/v3"
)

// duration is a span of time, written as a number and a unit: 90s, 15m, 12h,
// 30d.
type duration time.Duration

// durationPattern is the only form there is; five digits of days are no
// overflow.
var durationPattern = regexp.MustCompile(`^([1-9][0-9]{0,4})([smhd])$`)

// units are those of a duration.
var units = map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour}

// UnmarshalYAML reads a duration.
func (d *duration) UnmarshalYAML(node *yaml.Node) error {
	m := durationPattern.FindStringSubmatch(node.Value)
	if m == nil {
		return mistakef(node.Line, "duration %q: write a number and s, m, h or d, as 15m", node.Value)
	}
	n, _ := strconv.Atoi(m[1]) // at most five digits
	*d = duration(time.Duration(n) * units[m[2]])
	return nil
}

// session tells when the provider's session ends: with a cookie of it, a while
// after the login or the last renewal, or whatever comes first.
type session struct {
	Cookie   string   `yaml:"cookie"`
	Lifetime duration `yaml:"lifetime"`
}

// ends returns when the session ends, zero when nobody knows. A session whose
// cookie is gone has ended by now.
func (v *visit) ends() time.Time {
	s := v.recipe.Session
	if s == nil {
		return time.Time{}
	}
	var end time.Time
	if s.Lifetime > 0 && !v.since.IsZero() {
		end = v.since.Add(time.Duration(s.Lifetime))
	}
	if s.Cookie == "" {
		return end
	}
	found := false
	for _, c := range v.jar.cookies {
		if c.Name != s.Cookie {
			continue
		}
		found = true
		if !c.Expires.IsZero() && (end.IsZero() || c.Expires.Before(end)) {
			end = c.Expires
		}
	}
	if !found {
		return v.now
	}
	return end
}
