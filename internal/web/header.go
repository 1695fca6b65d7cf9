package web

import (
	"net/http"
	"net/url"
	"strings"
)

// The values of headers that are the same for all. Nobody writes into them:
// Set replaces a value, and Add copies one that is full.
var (
	noStore    = []string{"no-store"}
	noSniff    = []string{"nosniff"}
	noContent  = []string{"default-src 'none'; frame-ancestors 'none'"}
	noReferrer = []string{"no-referrer"}
	jsonType   = []string{"application/json"}
)

// apiHeaders are on every answer to a backend. The names are canonical.
func apiHeaders(header http.Header) {
	header["Cache-Control"] = noStore
	header["X-Content-Type-Options"] = noSniff
	header["Content-Security-Policy"] = noContent
	header["Referrer-Policy"] = noReferrer
}

// publicHeaders are on assets and probes.
var publicHeaders = newFixed(
	"X-Content-Type-Options", "nosniff",
	"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'",
	"Cross-Origin-Resource-Policy", "same-origin",
	"Referrer-Policy", "no-referrer",
)

// pagePolicy is the policy of every page: nothing but our own files, and no text that becomes script (Trusted Types). What may
// be framed by whom, and where forms lead, is added for each page.
const pagePolicy = "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self'; " +
	"base-uri 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// pageHeaders are on every page of the kind.
func (rt *Router) pageHeaders(kind Kind) fixed {
	headers := newFixed(
		"Cache-Control", "no-store",
		"X-Content-Type-Options", "nosniff",
		"Referrer-Policy", "no-referrer",
		"Cross-Origin-Resource-Policy", "same-origin",
		"Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
	)
	if rt.config.Secure {
		headers.add("Strict-Transport-Security", "max-age=63072000")
	}
	ancestors := "'none'"
	switch kind {
	case KindFramed:
		ancestors = "'self'"
		headers.add("Cross-Origin-Opener-Policy", "unsafe-none")
	case KindArrival:
		headers.add("Cross-Origin-Opener-Policy", "unsafe-none")
		headers.add("X-Frame-Options", "DENY")
	default:
		headers.add("Cross-Origin-Opener-Policy", "same-origin")
		headers.add("X-Frame-Options", "DENY")
	}
	headers.add("Content-Security-Policy", pagePolicy+"; form-action 'self'; frame-ancestors "+ancestors)
	return headers
}

// AllowFraming lets a page be framed by its own origin and exactly those
// listed, and its forms lead to its own origin and to where they redirect.
// Browsers hold the redirects of a form against form-action, so the targets
// must be named. What could end a directive or name more than one origin is
// left out.
func AllowFraming(header http.Header, origins, formTargets []string) {
	FramingPolicy(origins, formTargets).Set(header)
}

// Policy is the policy of a page, made once for many answers.
type Policy struct{ values []string } // shared, and never changed

// FramingPolicy is what AllowFraming sets, for who sets the same again and
// again.
func FramingPolicy(origins, formTargets []string) Policy {
	return Policy{[]string{
		pagePolicy + "; form-action " + sources(formTargets, isSource) + "; frame-ancestors " + sources(origins, isOrigin),
	}}
}

// Set puts it in the place of the policy that an answer has.
func (p Policy) Set(header http.Header) { header["Content-Security-Policy"] = p.values }

// Size is its length in bytes.
func (p Policy) Size() int { return len(p.values[0]) }

// AllowEmbedding lets a page that nobody may frame frame ours and open them in
// windows that can talk to it.
func AllowEmbedding(header http.Header) {
	header.Set("Content-Security-Policy", pagePolicy+"; frame-src 'self'; form-action 'self'; frame-ancestors 'none'")
	header.Set("Cross-Origin-Opener-Policy", "same-origin-allow-popups")
}

// sources lists 'self' and those of the given that are plain sources.
func sources(given []string, plain func(string) bool) string {
	list := "'self'"
	for _, source := range given {
		if plain(source) {
			list += " " + source
		}
	}
	return list
}

// isOrigin reports whether the text is one exact web origin. A scheme alone
// would let every site of it in.
func isOrigin(text string) bool {
	parsed, err := url.Parse(text)
	return err == nil && isSource(text) && (parsed.Scheme == "https" || parsed.Scheme == "http") &&
		parsed.Hostname() != "" && text == parsed.Scheme+"://"+parsed.Host
}

// isSource reports whether the text is one source expression without
// wildcards. Printable ASCII alone is: a policy is split at more white space
// than headers are.
func isSource(text string) bool {
	return text != "" && !strings.ContainsFunc(text, func(c rune) bool {
		return c <= ' ' || c >= 0x7f || strings.ContainsRune(`;,*'"`, c)
	})
}
