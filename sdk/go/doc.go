// Package latchkey calls the API of a Latchkey server: it starts link
// sessions, keeps track of connections, calls providers through the proxy, and
// checks webhooks. It needs the standard library alone.
//
//	client, err := latchkey.New(latchkey.Config{BaseURL: "https://link.example.com", APIKey: os.Getenv("LATCHKEY_KEY")})
//	link, err := client.Link.Init(ctx, latchkey.InitRequest{ClientReferenceID: "user_1"})
//	// send the person to link.URL; then
//	for connection, err := range client.Connections.All(ctx, latchkey.ConnectionFilter{ClientReferenceID: "user_1"}) { … }
//	response, err := client.Access.Do(ctx, connection.ID, latchkey.ProxyRequest{Path: "posts"})
//
// Each method is one call of the API:
//
//	method ─▶ call ─▶ repeat (only what is safe to send twice) ─▶ bounded answer ─▶ type, or *Error
//
// What the server refuses is an *Error. A Client may be used by many
// goroutines at once, and shows its key to nobody but the server.
package latchkey
