package clink

import (
	"errors"
	"net"
	"net/netip"
	"net/url"
	"path"
	"strconv"
	"strings"
)

// NormalizeBaseURL is the one form of a base URL by which a job remembers its address: lower-case
// scheme and host, no dot after the host, no default port, no trailing slash. It refuses what is not https (or http to a
// loopback host), and user info, query and fragment. Errors do not repeat raw: it may hold a secret.
func NormalizeBaseURL(raw string) (string, error) {
	base, err := parseBaseURL(raw)
	if err != nil {
		return "", err
	}
	return base.String(), nil
}

func parseBaseURL(raw string) (*url.URL, error) {
	raw = strings.TrimSpace(raw)
	given, err := url.Parse(raw)
	if err != nil {
		return nil, errors.New("the base URL is not a URL")
	}
	host := strings.TrimRight(strings.ToLower(given.Hostname()), ".") // a dot at its end says that a name is whole, and changes nothing
	if addr, err := netip.ParseAddr(host); err == nil {
		host = addr.String()
	}
	port := given.Port()
	switch {
	case given.User != nil:
		return nil, errors.New("the base URL has a user name or password in it")
	case given.RawQuery != "" || given.ForceQuery:
		return nil, errors.New("the base URL has a query (?) in it")
	case strings.Contains(raw, "#"):
		return nil, errors.New("the base URL has a fragment (#) in it")
	case given.Scheme != "https" && given.Scheme != "http":
		return nil, errors.New("the base URL does not begin with https://")
	case host == "":
		return nil, errors.New("the base URL has no host")
	case !isHostname(host):
		return nil, errors.New("the base URL's host has a character that no host name has (a name beyond ASCII is written as xn--...)")
	case port != "" && !isPort(port):
		return nil, errors.New("the base URL's port is not between 1 and 65535")
	case given.Scheme == "http" && !IsLoopback(host):
		return nil, errors.New("the base URL is plain http, which would send the key unprotected: only a loopback address may be (127.0.0.1, [::1], localhost)")
	}
	escaped := strings.TrimRight(given.EscapedPath(), "/")
	if escaped != "" && path.Clean(escaped) != escaped {
		return nil, errors.New("the base URL's path has //, . or .. in it")
	}

	base := &url.URL{Scheme: given.Scheme, Host: host}
	if isDefaultPort := given.Scheme == "https" && port == "443" || given.Scheme == "http" && port == "80"; port != "" && !isDefaultPort {
		base.Host = net.JoinHostPort(host, port)
	} else if strings.Contains(host, ":") {
		base.Host = "[" + host + "]"
	}
	return url.Parse(base.String() + escaped)
}

// IsLoopback says whether host is this machine: localhost in any case, or an address in 127.0.0.0/8 or ::1.
func IsLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && addr.Unmap().IsLoopback()
}

// isHostname is lax: it keeps out what has two spellings (beyond ASCII) or would need escaping.
func isHostname(host string) bool {
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.Zone() == ""
	}
	for _, r := range host {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '.' && r != '_' {
			return false
		}
	}
	return true
}

func isPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n > 0 && s[0] != '0'
}
