// Command site is a small site with accounts, to write a recipe for: a login
// form with a CSRF token, a second factor by text message (the "phone" is the
// console), a session cookie, a profile page, an API and a logout.
//
//	go run ./docs/examples/site        then http://127.0.0.1:8090
//
// Its accounts are lovelace with the password "correct horse", who has a phone,
// and babbage with the password "battery staple", who has none.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"time"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8090", "address to serve on")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *listen, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run serves until the context ends. Text messages are written to phone.
func run(ctx context.Context, address string, phone io.Writer) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: newSite(phone).routes(), ReadHeaderTimeout: 5 * time.Second}
	go func() {
		<-ctx.Done()
		_ = server.Close()
	}()
	fmt.Fprintf(phone, "the site is at http://%s\n", listener.Addr())
	if err := server.Serve(listener); err != nil && ctx.Err() == nil {
		return err
	}
	return nil
}
