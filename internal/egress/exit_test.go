package egress

import (
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"
)

// mustParse returns a proxy's URL.
func mustParse(t *testing.T, raw string) *url.URL {
	t.Helper()
	proxy, err := ParseProxy(raw)
	if err != nil {
		t.Fatal(err)
	}
	return proxy
}

func TestParseProxy(t *testing.T) {
	for _, good := range []string{
		"http://proxy.example:3128", "https://user:password@proxy.example:8443/", "socks5://10.0.0.1:1080", "socks5://u:p@[fd00::1]:1080",
	} {
		if _, err := ParseProxy(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{
		"", "proxy.example:3128", "//proxy.example:3128", "ftp://user:hunter2@proxy.example:21", "socks4://proxy.example:1080",
		"socks5h://user:hunter2@proxy.example:1080", "http://user:hunter2@proxy.example", "http://user:hunter2@:3128", "http://user@proxy.example:3128",
		"http://:hunter2@proxy.example:3128", "http://user:hunter2@proxy.example:0", "http://user:hunter2@proxy.example:70000",
		"http://user:hunter2@proxy.example:3128/path", "http://user:hunter2@proxy.example:3128?a=b", "http://user:hunter2@proxy.example:3128#a",
		"http://user:hunter2@proxy example:3128", "http://user:hunter2%zz@proxy.example:1", "http://" + strings.Repeat("u", 256) + ":hunter2@proxy.example:1",
	} {
		_, err := ParseProxy(bad)
		if err == nil {
			t.Errorf("%s was taken", bad)
		} else if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "proxy.example:3128/path") {
			t.Errorf("the error repeats the URL: %v", err)
		}
	}
}

func TestCompleteExits(t *testing.T) {
	good := Exit{Proxy: mustParse(t, "http://user:hunter2@proxy.example:3128"), Country: "DE", Region: "BY", Check: "www.example.com:443"}
	changed := func(change func(*Exit)) Exit {
		x := good
		change(&x)
		return x
	}
	t.Run("defaults are filled in", func(t *testing.T) {
		list, err := CompleteExits([]Exit{good})
		if err != nil || list[0].Name != "proxy.example:3128" || list[0].Weight != 1 {
			t.Errorf("%v, %v", list, err)
		}
	})
	for rule, x := range map[string]Exit{
		"entry 2: country must be":     changed(func(x *Exit) { x.Name, x.Country = "b", "UK" }),
		"entry 2: region must be":      changed(func(x *Exit) { x.Name, x.Region = "b", "DE-BY" }),
		"entry 2: weight must be":      changed(func(x *Exit) { x.Name, x.Weight = "b", -1 }),
		"entry 2: name must have":      changed(func(x *Exit) { x.Name = "a b" }),
		"entry 2: check must be":       changed(func(x *Exit) { x.Name, x.Check = "b", "https://www.example.com" }),
		"entry 2: url is missing":      changed(func(x *Exit) { x.Name, x.Proxy = "b", nil }),
		"entry 2: url must begin":      changed(func(x *Exit) { x.Name, x.Proxy = "b", &url.URL{Scheme: "ftp", Host: "a:1"} }),
		"entry 2: needs a name of its": good,
	} {
		if _, err := CompleteExits([]Exit{good, x}); err == nil || !strings.Contains(err.Error(), rule) {
			t.Errorf("%v, want %s…", err, rule)
		}
	}
	t.Run("more than can be looked after are refused", func(t *testing.T) {
		if _, err := CompleteExits(make([]Exit, MaxExits+1)); err == nil {
			t.Error("they were taken")
		}
	})
	t.Run("an exit is told of without its credentials", func(t *testing.T) {
		var log strings.Builder
		slog.New(slog.NewTextHandler(&log, nil)).Info("exit", "exit", good)
		for _, text := range []string{fmt.Sprint(good), fmt.Sprintf("%+v", good), good.String(), log.String()} {
			if strings.Contains(text, "hunter2") || !strings.Contains(text, "DE-BY http://proxy.example:3128") {
				t.Errorf("it is told as %q", text)
			}
		}
	})
}
