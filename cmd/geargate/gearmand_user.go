package main

import (
	"fmt"
	"os/user"
	"strconv"
	"syscall"
)

// becomeUser gives up root's privileges for those of the named user and of
// the user's groups. An empty name, or our own, changes nothing.
func becomeUser(name string) error {
	if name == "" {
		return nil
	}
	account, err := user.Lookup(name)
	if err != nil {
		return fmt.Errorf("--user: %w", err)
	}
	uid, err := strconv.Atoi(account.Uid)
	if err != nil {
		return fmt.Errorf("--user: expected a number as the user's id, got %q", account.Uid)
	}
	if uid == syscall.Geteuid() {
		return nil
	}
	return switchTo(account, uid)
}

func switchTo(account *user.User, uid int) error {
	gid, err := strconv.Atoi(account.Gid)
	if err != nil {
		return fmt.Errorf("--user: expected a number as the group's id, got %q", account.Gid)
	}
	names, err := account.GroupIds()
	if err != nil {
		return fmt.Errorf("--user: %w", err)
	}
	groups := make([]int, 0, len(names))
	for _, name := range names {
		group, err := strconv.Atoi(name)
		if err != nil {
			return fmt.Errorf("--user: expected a number as a group's id, got %q", name)
		}
		groups = append(groups, group)
	}
	// The user comes last: without root's privileges the rest is forbidden.
	if err := syscall.Setgroups(groups); err != nil {
		return fmt.Errorf("--user: setting the groups of %s: %w", account.Username, err)
	}
	if err := syscall.Setgid(gid); err != nil {
		return fmt.Errorf("--user: setting the group of %s: %w", account.Username, err)
	}
	if err := syscall.Setuid(uid); err != nil {
		return fmt.Errorf("--user: becoming %s: %w", account.Username, err)
	}
	return nil
}
