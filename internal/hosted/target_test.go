package hosted

import "testing"

func TestAPolicyNamesWhereTheRedirectLeads(t *testing.T) {
	for target, want := range map[string]string{
		"https://shop.example/back?x=1":   "https://shop.example",
		"https://shop.example:8443/a%2Fb": "https://shop.example:8443",
		"http://127.0.0.1:3000/callback":  "http://127.0.0.1:3000",
		"http://localhost:3000/callback":  "http://localhost:3000",
		"http://[::1]:3000/callback":      "http:", // no source can name it
		"http://[::1]/":                   "http:",
		"com.example.shop:/back":          "com.example.shop:",
		"com.example.shop://back":         "com.example.shop:",
		"":                                "",
		"/back":                           "",
		"http://[::1":                     "",
	} {
		if got := formTarget(target); got != want {
			t.Errorf("%s: %q, want %q", target, got, want)
		}
	}
}
