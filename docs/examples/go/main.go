// Asks privyseal's agent for assertions, and has golang.org/x/oauth2 get an access token with each.
//
//	go run . SOCKET PROFILE TOKEN_ENDPOINT
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// agent is HTTP over the agent's Unix socket.
type agent struct {
	client  http.Client
	profile string
}

type assertion struct {
	ClientID  string `json:"client_id"`
	Type      string `json:"client_assertion_type"`
	Assertion string `json:"client_assertion"`
	// Of a refusal.
	Kind, Detail string
}

func newAgent(socket, profile string) *agent {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		var dialer net.Dialer
		return dialer.DialContext(ctx, "unix", socket)
	}
	return &agent{http.Client{Transport: &http.Transport{DialContext: dial}}, profile}
}

func (a *agent) assertion() (*assertion, error) {
	response, err := a.client.Post("http://localhost/v1/"+a.profile+"/assertion", "application/json", nil)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	answer := new(assertion)
	if err := json.NewDecoder(response.Body).Decode(answer); err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", answer.Kind, answer.Detail)
	}
	return answer, nil
}

// source asks with a new assertion each time: it is good once.
type source struct {
	agent    *agent
	endpoint string
}

func (s source) Token() (*oauth2.Token, error) {
	signed, err := s.agent.assertion()
	if err != nil {
		return nil, err
	}
	config := clientcredentials.Config{
		ClientID:  signed.ClientID,
		TokenURL:  s.endpoint,
		AuthStyle: oauth2.AuthStyleInParams,
		EndpointParams: url.Values{
			"client_assertion_type": {signed.Type},
			"client_assertion":      {signed.Assertion},
		},
	}
	return config.Token(context.Background())
}

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: SOCKET PROFILE TOKEN_ENDPOINT")
		os.Exit(2)
	}
	// Asks again shortly before a token expires.
	tokens := oauth2.ReuseTokenSource(nil, source{newAgent(os.Args[1], os.Args[2]), os.Args[3]})
	token, err := tokens.Token()
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
	fmt.Printf("%s, %.0f s\n", token.Type(), time.Until(token.Expiry).Seconds())
}
