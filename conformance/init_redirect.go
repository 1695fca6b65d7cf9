package main

import (
	"net/http"
	"strings"
)

// initRedirectRows are about redirectUrl at init, section 2.
var initRedirectRows = []row{
	{id: "2.init.redirectUrl", statement: "each registered redirect URI is taken as it is", check: func(s *suite) {
		app := s.ownApp(redirectApp)
		for _, registered := range []string{returnURL, returnURLQuery, returnURLSix, returnURLName} {
			s.begin(app, map[string]any{"redirectUrl": registered})
		}
	}},
	{id: "2.init.redirectUrl-byte-equal", statement: "what is not byte for byte a registered one: 400 naming it", check: notByteEqual},
	{id: "2.init.redirectUrl-loopback-port", statement: "a registered loopback address counts with any port", check: func(s *suite) {
		app := s.ownApp(redirectApp)
		for _, given := range []string{
			"http://127.0.0.1:1/conformance", "http://127.0.0.1:8080/conformance", "http://127.0.0.1:65535/conformance",
			"http://[::1]:4321/conformance",
		} {
			s.begin(app, map[string]any{"redirectUrl": given})
		}
		for _, given := range []string{
			"http://127.0.0.1:0/conformance", "http://127.0.0.1:65536/conformance", "http://127.0.0.1:080/conformance",
			"http://127.0.0.1:/conformance", "http://127.0.0.1:1@evil.example/conformance", "http://127.0.0.1:1/other",
			"http://127.0.0.2:1/conformance",
		} {
			s.call("POST", "/v2/link/init", with(app.fields(), map[string]any{"redirectUrl": given})).blames("redirectUrl")
		}
	}},
	{id: "2.init.redirectUrl-localhost-port", statement: "localhost is a name: its port counts", check: func(s *suite) {
		body := with(s.ownApp(redirectApp).fields(), map[string]any{"redirectUrl": "http://localhost:3001/conformance"})
		s.call("POST", "/v2/link/init", body).blames("redirectUrl")
	}},
	{id: "2.init.redirectUrl-absent", statement: "absent, it is the app's first one", check: func(s *suite) {
		landed := s.open(s.begin(s.ownApp(redirectApp), nil).url).press("cancel")
		landed.parameters()
		if base, _, _ := strings.Cut(landed.landed.String(), "?"); base != returnURL {
			s.failf("the person is sent to %s", base)
		}
	}},
	{id: "2.init.redirectUrl-used", statement: "the one given is the one used", check: func(s *suite) {
		given := "http://127.0.0.1:4567/conformance"
		landed := s.open(s.begin(s.ownApp(redirectApp), map[string]any{"redirectUrl": given}).url).press("cancel")
		landed.parameters()
		if base, _, _ := strings.Cut(landed.landed.String(), "?"); base != given {
			s.failf("the person is sent to %s", base)
		}
	}},
	{id: "2.init.redirectUrl-none", statement: "an app without one: the page itself says how it ended", plus: true, check: func(s *suite) {
		app := s.newApp(redirectApp, map[string]any{"redirectUris": []string{}})
		l := s.begin(app, nil)
		ended := s.open(l.url).press("cancel")
		if ended.landed != nil {
			s.failf("the person is sent to %s", ended.landed)
		}
		l.status().at("status").is("denied")
		s.call("POST", "/v2/link/init", with(app.fields(), map[string]any{"redirectUrl": returnURL})).blames("redirectUrl")
	}},
}

// notByteEqual tries what URL parsers take for a registered one.
func notByteEqual(s *suite) {
	app := s.ownApp(redirectApp)
	for _, given := range []string{
		"", returnURL + "/", returnURL + "?", returnURL + "#", returnURL + "#a", returnURL + "?a=b", returnURL + " ", " " + returnURL,
		"HTTP://127.0.0.1/conformance", "https://127.0.0.1/conformance", "http://127.0.0.1//conformance",
		"http://127.0.0.1/./conformance", "http://127.0.0.1/a/../conformance", "http://127.0.0.1/Conformance",
		"http://127.0.0.1/conformanc%65", "http://127.1/conformance", "http://2130706433/conformance",
		"http://127.0.0.1.evil.example/conformance", "http://user@127.0.0.1/conformance", "http://127.0.0.1\\@evil.example/conformance",
		"http://evil.example/http://127.0.0.1/conformance", "//127.0.0.1/conformance", "/conformance", "http:/127.0.0.1/conformance",
		"http://127.0.0.1/conformance\t", "http://127.0.0.1/conformance\x00", "http://１２７.0.0.1/conformance",
		"javascript:alert(1)", "data:text/html,a", returnURLQuery + "&more=1", strings.Replace(returnURLQuery, "%20", "+", 1),
		"http://LOCALHOST:3000/conformance", "http://localhost:3000/conformance/", "http://localhost/conformance",
		"http://[0:0:0:0:0:0:0:1]/conformance", "http://[::1%25lo]/conformance", "http://" + strings.Repeat("a", 5000) + "/",
	} {
		got := s.call("POST", "/v2/link/init", with(app.fields(), map[string]any{"redirectUrl": given}))
		if got.status == http.StatusOK {
			s.failf("%q was accepted", given)
		}
		got.blames("redirectUrl")
	}
}
