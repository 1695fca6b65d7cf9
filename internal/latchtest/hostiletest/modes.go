package hostiletest

import (
	"bytes"
	"net/url"
	"strings"
)

// answerModes bend the authorization endpoint's answer.
func answerModes() []Mode {
	change := func(name, value string) func(url.Values) {
		return func(query url.Values) { query.Set(name, value) }
	}
	twice := func(name string) func(url.Values) {
		return func(query url.Values) { query.Add(name, query.Get(name)) }
	}
	return []Mode{
		{Name: "the issuer is missing though it is advertised", Answer: func(query url.Values) { query.Del("iss") }},
		{Name: "the issuer is another server's, as in a mix-up", Answer: change("iss", "https://honest.example")},
		{Name: "the issuer has a slash too many", Answer: func(query url.Values) { query.Set("iss", query.Get("iss")+"/") }},
		{Name: "the issuer is empty", Answer: change("iss", "")},
		{Name: "the state is another one", Answer: change("state", "state-of-another-session")},
		{Name: "the state is missing", Answer: func(query url.Values) { query.Del("state") }},
		{Name: "the state is cut off", Answer: func(query url.Values) { query.Set("state", query.Get("state")[:8]) }},
		{Name: "the state is given twice", Answer: twice("state")},
		{Name: "the code is given twice", Answer: twice("code")},
		{Name: "the issuer is given twice", Answer: twice("iss")},
		{Name: "the code is missing", Answer: func(query url.Values) { query.Del("code") }},
		{Name: "the code is made up", Answer: change("code", "made-up")},
		{Name: "the code is too long", Answer: change("code", strings.Repeat("a", 5000))},
		{Name: "a code comes with an error", Answer: change("error", "server_error")},
		{Name: "an error comes without an issuer", Answer: func(query url.Values) {
			query.Del("code")
			query.Del("iss")
			query.Set("error", "access_denied")
		}},
		{Name: "a token comes with the code", Answer: change("access_token", "at-in-the-front-channel")},
	}
}

// tokenModes bend the token endpoint's answer.
func tokenModes() []Mode {
	return []Mode{
		{Name: "the token type is missing", Token: drop("token_type")},
		{Name: "the token type is mac", Token: set("token_type", "mac")},
		{Name: "the token type is DPoP", Token: set("token_type", "DPoP")},
		{Name: "the token type is that of a refresh token", Token: set("token_type", "N_A")},
		{Name: "the access token is missing", Token: drop("access_token")},
		{Name: "the access token is a number", Token: set("access_token", 42)},
		{Name: "the access token is empty", Token: set("access_token", "")},
		{Name: "the access token breaks the header", Token: set("access_token", "a\r\nX-Injected: 1")},
		{Name: "the access token is enormous", Token: set("access_token", strings.Repeat("a", 64<<10))},
		{Name: "the ID token stands in for the access token", Token: func(m members) { m["access_token"] = m["id_token"] }},
		{Name: "the access token stands in for the ID token", Token: func(m members) { m["id_token"] = m["access_token"] }},
		{Name: "the access token is another one than at_hash says", Token: set("access_token", "at-of-somebody-else")},
		{Name: "the ID token is missing", Token: drop("id_token")},
		{Name: "the ID token is a list", Token: func(m members) { m["id_token"] = []any{m["id_token"]} }},
		{Name: "the refresh token breaks the header", Token: set("refresh_token", "a b\n")},
		{Name: "an error is called a success", Token: set("error", "invalid_grant")},
		{Name: "the answer says things twice", TokenText: `{"access_token":"a","access_token":"b","token_type":"Bearer"}`},
		{Name: "the answer is a page", TokenText: "<html><body>access_token=a&token_type=bearer</body></html>"},
		{Name: "the answer is a form", TokenText: "access_token=a&token_type=bearer"},
		{Name: "the answer is a list", TokenText: `[{"access_token":"a","token_type":"Bearer"}]`},
		{Name: "the answer goes on after its end", TokenText: `{"access_token":"a","token_type":"Bearer"}{}`},
		{Name: "the answer is nested without end", TokenText: strings.Repeat(`{"a":`, 100_000)},
	}
}

// claimModes bend for whom and by whom an ID token is.
func claimModes() []Mode {
	return []Mode{
		{Name: "aud is another client", Claims: set("aud", OtherClient)},
		{Name: "aud is a list of other clients", Claims: set("aud", []string{OtherClient, "third"})},
		{Name: "aud is a longer name", Claims: set("aud", ClientID+"-2")},
		{Name: "aud is missing", Claims: drop("aud")},
		{Name: "aud has two clients and no azp", Claims: set("aud", []string{ClientID, OtherClient})},
		{Name: "azp is another client", Claims: set("azp", OtherClient)},
		{Name: "azp is another client of two", Claims: func(m members) { m["aud"], m["azp"] = []string{ClientID, OtherClient}, OtherClient }},
		{Name: "azp is no text", Claims: set("azp", []string{ClientID})},
		{Name: "iss is another server", Claims: set("iss", "https://honest.example")},
		{Name: "iss has a slash too many", Claims: func(m members) { m["iss"] = m["iss"].(string) + "/" }},
		{Name: "iss is in capitals", Claims: func(m members) { m["iss"] = strings.ToUpper(m["iss"].(string)) }},
		{Name: "iss is missing", Claims: drop("iss")},
		{Name: "nonce is another login's", Claims: set("nonce", "nonce-of-another-login")},
		{Name: "nonce is missing", Claims: drop("nonce")},
		{Name: "nonce is empty", Claims: set("nonce", "")},
		{Name: "nonce is a list", Claims: func(m members) { m["nonce"] = []any{m["nonce"]} }},
		{Name: "sub is missing", Claims: drop("sub")},
		{Name: "sub is empty", Claims: set("sub", "")},
		{Name: "sub is a number", Claims: set("sub", 1)},
		{Name: "sub is too long", Claims: set("sub", strings.Repeat("a", 256))},
		{Name: "a claim stands twice", Body: func(body []byte) []byte {
			return bytes.Replace(body, []byte("{"), []byte(`{"aud":"`+OtherClient+`",`), 1)
		}},
		{Name: "the claims are no object", Body: func([]byte) []byte { return []byte(`"sub"`) }},
	}
}

// profileModes bend who the userinfo endpoint speaks of.
func profileModes() []Mode {
	return []Mode{
		{Name: "userinfo speaks of somebody else", Userinfo: set("sub", "person-2")},
		{Name: "userinfo speaks of nobody", Userinfo: drop("sub")},
		{Name: "userinfo's sub is no text", Userinfo: set("sub", []string{Subject})},
	}
}

// metadataModes bend what the server says of itself.
func metadataModes() []Mode {
	return []Mode{
		{Name: "the metadata is another issuer's", Metadata: set("issuer", "https://honest.example")},
		{Name: "the metadata's issuer has a slash too many", Metadata: func(m members) { m["issuer"] = m["issuer"].(string) + "/" }},
		{Name: "the metadata has no issuer", Metadata: drop("issuer")},
		{Name: "the token endpoint is in clear", Metadata: set("token_endpoint", "http://honest.example/token")},
		{Name: "the token endpoint is no web address", Metadata: set("token_endpoint", "file:///etc/passwd")},
		{Name: "the token endpoint is missing", Metadata: drop("token_endpoint")},
		{Name: "the keys have an address with a password", Metadata: set("jwks_uri", "https://a:b@honest.example/keys")},
		{Name: "the challenge is downgraded to plain", Metadata: set("code_challenge_methods_supported", []string{"plain"})},
	}
}
