// Package oauth2 is the engine of providers that speak OAuth 2.0 or OpenID
// Connect: one YAML file says what differs, and no provider needs Go code of
// its own.
//
//	YAML ─▶ Parse ─▶ Config ─▶ New(Config, Client) ─▶ connector.Connector
//
// A file of the usual length (testdata/example.yaml has every key there is):
//
//	id: acme
//	name: Acme
//	domain: acme.example
//	documentation: https://developers.acme.example/oauth
//	authorization_endpoint: https://acme.example/oauth/authorize
//	token_endpoint: https://acme.example/oauth/token
//	revocation_endpoint: https://acme.example/oauth/revoke
//	client_authentication: client_secret_post
//	scopes: [user.basic]
//	permissions:
//	  "posts:write": [posts.read, posts.write]
//	profile:
//	  url: https://api.acme.example/v1/me
//	  id: $.data.id
//	  name: $.data.display_name
//	  username: [$.data.username, $.data.email]
//	  avatar: $.data.picture
//	api:
//	  base_url: https://api.acme.example/v1
//	quirks:
//	  - Refresh tokens die after 90 idle days.
//
// Where the provider has metadata, "issuer: https://acme.example" stands in
// place of the endpoints; with openid among the scopes, an ID token is demanded
// and checked, and the profile needs no line, as the standard claims are known.
// What stands in the file goes before the metadata.
//
// A file does not say how the protocol is kept safe: state, the checks of
// issuers and ID tokens, https and the bounds of every answer are the same for
// all. PKCE (S256) and the nonce are too, but for providers that refuse the one
// or don't answer the other: a file must say so (pkce, id_token), and the client
// must then authenticate itself.
package oauth2
