package account

import (
	"strings"
	"testing"
)

func TestADomainIsOneThatSomebodyRegistered(t *testing.T) {
	bad := []string{
		"", "com", "co.uk", "github.io", "s3.amazonaws.com", "b.ck", "Shop.example.com", "shop.example.com.", ".shop.example.com",
		"shop..example.com", "shop.example.com/", "https://shop.example.com", "shop.example.com:443", "user@shop.example.com",
		"-shop.example.com", "shop-.example.com", "shop_1.example.com", "*.example.com", "shop example.com", "shop.example.com\n",
		"shop.example.com\x00", "1.2.3.4", "127.1", "2130706433", "0x7f.1", "0x7f000001", "0177.0.0.1", "[::1]", "fe80::1",
		"shop.example.123", "shop.example.0x1", "bücher.example", "shop。example.com", "shop．example.com", "ѕhop.example.com", "shop%2eexample.com",
		strings.Repeat("a", 64) + ".example.com", strings.Repeat("a.", 126) + "example", "shop.example.com#", "shop\\.example.com",
		"xn--", "xn--.example.com", "xn--a.example.com", // not punycode of anything
		"xn--pple-43d.com",   // аpple: one Cyrillic letter
		"xn--80ak6aa92e.com", // аррӏе: Cyrillic throughout
		"xn--ggle-0nda.com",  // gооgle: two Cyrillic letters
		"xn--uxachh.com",     // ονικ: Greek that looks Latin
		"xn--abc-8cdfg.com",  // two scripts
		"xn--fiq228c.xn--pple-43d.com",
	}
	live := []string{
		"example.com", "shop.example.com", "a.b.c.example.co.uk", "shop.github.io", "1und1.de", "x--y.example.com", "shop.example",
		"xn--bcher-kva.example", // bücher
		"xn--e1afmkfd.xn--p1ai", // пример.рф
		"xn--wgv71a119e.jp",     // 日本語
		"xn--mgb9awbf.example",  // عمان
		"xn--n1aahb.xn--p1ai",   // сосо, where nobody expects Latin
	}
	local := []string{"shop.local", "shop.internal", "shop.localhost", "shop.home.arpa"}
	judge(t, func(domain string) string { return site{domain: domain, isLive: true}.domainRule() }, live,
		append(append([]string{"localhost", "127.0.0.1", "::1"}, local...), bad...))
	judge(t, func(domain string) string { return site{domain: domain}.domainRule() },
		append(append([]string{"localhost", "127.0.0.1", "::1"}, local[:3]...), live...), bad)
}

func TestARegistrableDomainIsOneLabelMoreThanThePublicSuffix(t *testing.T) {
	for domain, want := range map[string]string{
		"shop.example.com": "example.com", "example.com": "example.com", "a.b.example.co.uk": "example.co.uk", "co.uk": "", "com": "",
		"shop.acme.github.io": "acme.github.io", "github.io": "", "localhost": "", "": "", "shop.example": "shop.example",
	} {
		if got := registrable(domain); got != want {
			t.Errorf("%s is under %q, want %q", domain, got, want)
		}
	}
}
