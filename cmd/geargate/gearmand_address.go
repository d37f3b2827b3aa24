package main

import (
	"fmt"
	"net"
	"strconv"
)

// listenAddresses returns the addresses that a host and a port, each a name
// or a number, stand for. As gearmand does, a name is listened for on each of
// its addresses that this machine has.
func listenAddresses(host, port string) ([]string, error) {
	n, err := net.LookupPort("tcp", port)
	if err != nil {
		return nil, fmt.Errorf("--port: expected a number or a service's name: %w", err)
	}
	number := strconv.Itoa(n)
	if host == "" || net.ParseIP(host) != nil {
		return []string{net.JoinHostPort(host, number)}, nil
	}
	ips, err := net.LookupHost(host)
	if err != nil {
		return nil, fmt.Errorf("--listen: %w", err)
	}
	var addresses []string
	for _, ip := range ips {
		if probe, err := net.Listen("tcp", net.JoinHostPort(ip, "0")); err == nil {
			probe.Close()
			addresses = append(addresses, net.JoinHostPort(ip, number))
		}
	}
	if len(addresses) == 0 {
		return nil, fmt.Errorf("--listen: expected an address of this machine, got %s, which is %q", host, ips)
	}
	return addresses, nil
}
