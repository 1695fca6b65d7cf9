// Command go links an account and calls its provider, as a backend would.
//
//	LATCHKEY_URL=http://127.0.0.1:8080 LATCHKEY_KEY=sk_sandbox_… go run ./docs/examples/go
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"time"

	latchkey "latchkey/sdk/go"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	client, err := latchkey.New(latchkey.Config{BaseURL: os.Getenv("LATCHKEY_URL"), APIKey: os.Getenv("LATCHKEY_KEY")})
	if err != nil {
		return err
	}

	// Where the person comes back to: on loopback any port may be used.
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	back := make(chan url.Values, 1)
	server := &http.Server{Handler: callback(back), ReadHeaderTimeout: 10 * time.Second}
	defer func() { _ = server.Close() }()
	go func() { _ = server.Serve(listener) }()

	// Ask for a link, with a reference by which the user is recognised.
	const user = "user_1"
	link, err := client.Link.Init(ctx, latchkey.InitRequest{
		ClientReferenceID: user, RedirectURL: "http://" + listener.Addr().String() + "/callback",
	})
	if err != nil {
		return err
	}
	fmt.Println("Open", link.URL)

	// The query comes through a browser: look the connection up before it is
	// believed.
	var query url.Values
	select {
	case query = <-back:
	case <-ctx.Done():
		return ctx.Err()
	}
	if query.Get("status") != "success" {
		return fmt.Errorf("not linked: %s %s%s", query.Get("status"), query.Get("step"), query.Get("error_code"))
	}
	connection, err := client.Connections.Get(ctx, query.Get("connection_id"))
	if err != nil {
		return err
	}
	if connection.ClientReferenceID == nil || *connection.ClientReferenceID != user {
		return errors.New("somebody else's connection came back")
	}
	fmt.Println("Linked", connection.UserData.Name, "as", connection.ID)

	for connection, err := range client.Connections.All(ctx, latchkey.ConnectionFilter{ClientReferenceID: user}) {
		if err != nil {
			return err
		}
		fmt.Println("Connection", connection.ID, "is", connection.Status)
	}
	return posts(ctx, client, connection.ID)
}

// posts calls the provider through the proxy, and prints what it says.
func posts(ctx context.Context, client *latchkey.Client, connection string) error {
	response, err := client.Access.Do(ctx, connection, latchkey.ProxyRequest{Path: "posts", Query: url.Values{"limit": {"1"}}})
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if err := latchkey.ErrorOf(response); err != nil {
		return err
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return err
	}
	fmt.Printf("The provider says %s\n", body)
	return nil
}

// callback takes the person back.
func callback(back chan<- url.Values) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /callback", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "You can close this page.\n")
		select {
		case back <- r.URL.Query():
		default: // one is enough
		}
	})
	return mux
}
