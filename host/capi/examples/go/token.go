// An assertion and an access token from Go.
//
//	go run token.go config.toml kpn
package main

/*
#cgo pkg-config: privyseal
#include <stdlib.h>
#include <privyseal.h>
*/
import "C"

import (
	"fmt"
	"os"
	"unsafe"
)

// Client is the client of a profile. Any number of goroutines may use it.
type Client struct{ client *C.privyseal_client }

// Error is a sentence and whose business it is.
type Error struct {
	Status int
	Text   string
}

func (e *Error) Error() string { return e.Text }

// Open opens the client that a profile of a configuration file describes.
func Open(config, profile string) (*Client, error) {
	path, name := C.CString(config), C.CString(profile)
	defer C.free(unsafe.Pointer(path))
	defer C.free(unsafe.Pointer(name))
	var client *C.privyseal_client
	var text *C.char
	if status := C.privyseal_open(path, name, &client, &text); status != C.PRIVYSEAL_STATUS_OK {
		return nil, failed(int(status), text)
	}
	return &Client{client}, nil
}

// SelfTest shows that the key signs.
func (c *Client) SelfTest() error {
	var text *C.char
	if status := C.privyseal_self_test(c.client, &text); status != C.PRIVYSEAL_STATUS_OK {
		return failed(int(status), text)
	}
	return nil
}

// Assertion makes a new client assertion.
func (c *Client) Assertion() (string, error) {
	var assertion, text *C.char
	status := C.privyseal_assertion(c.client, nil, &assertion, &text)
	if status != C.PRIVYSEAL_STATUS_OK {
		return "", failed(int(status), text)
	}
	return taken(assertion), nil
}

// Token is an access token that is good for some time yet.
func (c *Client) Token() (string, error) {
	var token, text *C.char
	if status := C.privyseal_token(c.client, &token, &text); status != C.PRIVYSEAL_STATUS_OK {
		return "", failed(int(status), text)
	}
	return taken(token), nil
}

// Close ends it.
func (c *Client) Close() { C.privyseal_close(c.client) }

func failed(status int, text *C.char) error {
	return &Error{status, taken(text)}
}

func taken(text *C.char) string {
	defer C.privyseal_free(text)
	return C.GoString(text)
}

func run(config, profile string) error {
	client, err := Open(config, profile)
	if err != nil {
		return err
	}
	defer client.Close()
	if err := client.SelfTest(); err != nil {
		return err
	}
	assertion, err := client.Assertion()
	if err != nil {
		return err
	}
	token, err := client.Token()
	if err != nil {
		return err
	}
	_, err = fmt.Printf("%s\n%s\n", assertion, token)
	return err
}

func main() {
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		if known, ok := err.(*Error); ok {
			os.Exit(known.Status)
		}
		os.Exit(1)
	}
}
