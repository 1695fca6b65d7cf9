package hostiletest

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"strings"
	"time"
)

// timeModes bend when an ID token is good.
func timeModes() []Mode {
	in := func(name string, after time.Duration) func(members) {
		return func(m members) { m[name] = time.Now().Add(after).Unix() }
	}
	return []Mode{
		{Name: "exp is over", Claims: in("exp", -5*time.Minute)},
		{Name: "exp is missing", Claims: drop("exp")},
		{Name: "exp is a text", Claims: set("exp", "tomorrow")},
		{Name: "exp is before iat", Claims: func(m members) { in("iat", 50*time.Second)(m); in("exp", 40*time.Second)(m) }},
		{Name: "iat is in the future", Claims: in("iat", 10*time.Minute)},
		{Name: "iat is long ago", Claims: in("iat", -time.Hour)},
		{Name: "iat is missing", Claims: drop("iat")},
		{Name: "nbf is in the future", Claims: in("nbf", 10*time.Minute)},
	}
}

// headerModes bend an ID token's header. What must not be believed is signed
// by the enemy, whose key the header offers; the others are signed well.
func headerModes() []Mode {
	enemy := func(s *Server, input string) string { return signRSA(s.enemy, input) }
	bait := func(name string) func(*Server, members) {
		return func(s *Server, m members) { m[name] = s.URL + "/bait" }
	}
	return []Mode{
		{Name: "jku leads to the enemy's keys", Header: bait("jku"), Sign: enemy},
		{Name: "x5u leads to the enemy's certificate", Header: bait("x5u"), Sign: enemy},
		{Name: "kid is an address of the enemy's keys", Header: bait("kid"), Sign: enemy},
		{Name: "jku stands beside a good signature", Header: bait("jku")},
		{Name: "the key is embedded", Header: func(s *Server, m members) { m["jwk"] = public(&s.enemy.PublicKey, "key1") }, Sign: enemy},
		{Name: "a certificate is embedded", Header: header("x5c", []string{"MIIB"})},
		{Name: "kid is a path", Header: header("kid", "../../../../../../dev/null"), Sign: func(_ *Server, input string) string { return signHMAC(nil, input) }},
		{Name: "kid is a query of a database", Header: header("kid", "key1' UNION SELECT 'key"), Sign: enemy},
		{Name: "kid is unknown", Header: header("kid", "key2"), Sign: enemy},
		{Name: "kid is a number", Header: header("kid", 1)},
		{Name: "kid is another key's", Header: header("kid", "curve")},
		{Name: "kid is missing where there are two keys", Header: func(_ *Server, m members) { delete(m, "kid") }, Keys: func(s *Server, m members) {
			m["keys"] = append(m["keys"].([]any), public(&s.enemy.PublicKey, "key2"))
		}},
		{Name: "crit wants what nobody knows", Header: func(_ *Server, m members) { m["crit"], m["moon"] = []string{"moon"}, true }},
		{Name: "crit wants an unencoded payload", Header: func(_ *Server, m members) { m["crit"], m["b64"] = []string{"b64"}, false }},
		{Name: "typ is an access token's", Header: header("typ", "at+jwt")},
		{Name: "typ is a logout token's", Header: header("typ", "logout+jwt")},
		{Name: "alg is missing", Header: func(_ *Server, m members) { delete(m, "alg") }},
	}
}

// signatureModes bend an ID token's signature.
func signatureModes() []Mode {
	hs256 := header("alg", "HS256")
	unsigned := func(_ *Server, input string) string { return input + "." }
	return []Mode{
		{Name: "alg is none", Header: header("alg", "none"), Sign: unsigned},
		{Name: "alg is NoNe", Header: header("alg", "NoNe"), Sign: unsigned},
		{Name: "alg is none, with a signature", Header: header("alg", "none")},
		{Name: "the signature is taken away", Sign: unsigned},
		{Name: "the signature and its dot are taken away", Sign: func(_ *Server, input string) string { return input }},
		{Name: "HS256 with the RSA key as PEM", Header: hs256, Sign: func(s *Server, input string) string {
			der, err := x509.MarshalPKIXPublicKey(&s.key.PublicKey)
			if err != nil {
				s.Error(err)
			}
			return signHMAC(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), input)
		}},
		{Name: "HS256 with the RSA key's modulus", Header: hs256, Sign: func(s *Server, input string) string {
			return signHMAC(s.key.N.Bytes(), input)
		}},
		{Name: "HS256 with the client's secret", Header: hs256, Sign: func(_ *Server, input string) string {
			return signHMAC([]byte(Secret), input)
		}},
		{Name: "HS256 with a published key", Header: func(_ *Server, m members) { m["alg"], m["kid"] = "HS256", "oct" }, Sign: func(_ *Server, input string) string {
			return signHMAC([]byte("a symmetric key that is known to all"), input)
		}},
		{Name: "HS256 with an empty key", Header: hs256, Sign: func(_ *Server, input string) string { return signHMAC(nil, input) }},
		{Name: "the enemy signs under the server's kid", Sign: func(s *Server, input string) string { return signRSA(s.enemy, input) }},
		{Name: "a key that is too small signs", Header: header("kid", "small"), Sign: func(s *Server, input string) string {
			return signRSA(s.small, input)
		}},
		{Name: "alg is one that is not advertised", Header: header("alg", "RS512")},
		{Name: "alg is ES256 with the RSA key", Header: header("alg", "ES256")},
		{Name: "an ES256 signature of zeros", Header: func(_ *Server, m members) { m["alg"], m["kid"] = "ES256", "curve" }, Sign: func(_ *Server, input string) string {
			return input + "." + base64.RawURLEncoding.EncodeToString(make([]byte, 64))
		}},
		{Name: "the payload is changed after signing", Sign: func(s *Server, input string) string {
			head, body, _ := strings.Cut(input, ".")
			signature := signRSA(s.key, head+"."+base64.RawURLEncoding.EncodeToString([]byte("{}")))
			return head + "." + body + signature[strings.LastIndexByte(signature, '.'):]
		}},
		{Name: "the token is encrypted, or says so", Sign: func(_ *Server, input string) string { return input + ".a.b.c" }},
		{Name: "the token is JSON", Sign: func(s *Server, input string) string {
			head, body, _ := strings.Cut(input, ".")
			return `{"protected":"` + head + `","payload":"` + body + `","signature":"` + signRSA(s.key, input)[len(input)+1:] + `"}`
		}},
	}
}

// keyModes bend the published keys.
func keyModes() []Mode {
	edit := func(change func(key members)) func(*Server, members) {
		return func(_ *Server, published members) { change(published["keys"].([]any)[0].(members)) }
	}
	return []Mode{
		{Name: "two keys have one name", Keys: func(s *Server, published members) {
			published["keys"] = append(published["keys"].([]any), public(&s.enemy.PublicKey, "key1"))
		}, Sign: func(s *Server, input string) string { return signRSA(s.enemy, input) }},
		{Name: "the key is for encryption", Keys: edit(set("use", "enc"))},
		{Name: "the key is of another algorithm", Keys: edit(set("alg", "PS256"))},
		{Name: "the key is not published any more", Keys: func(_ *Server, published members) { published["keys"] = published["keys"].([]any)[1:] }},
		{Name: "there are no keys", Keys: func(_ *Server, published members) { published["keys"] = []any{} }},
		{Name: "the keys are no list", Keys: func(_ *Server, published members) { published["keys"] = "key1" }},
	}
}

// ES256 is a server that signs with its other key. It is honest.
func ES256() Mode {
	return Mode{
		Name: "ES256", Header: func(_ *Server, m members) { m["alg"], m["kid"] = "ES256", "curve" },
		Sign: func(s *Server, input string) string { return signECDSA(s.curve, input) },
	}
}
