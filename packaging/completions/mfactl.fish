# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_mfactl_global_optspecs
    string join \n socket= json h/help V/version
end

function __fish_mfactl_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_mfactl_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_mfactl_using_subcommand
    set -l cmd (__fish_mfactl_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c mfactl -n "__fish_mfactl_needs_command" -l socket -d 'The socket that mfad listens on' -r -F
complete -c mfactl -n "__fish_mfactl_needs_command" -l json -d 'Print mfad\'s answers as JSON, one a line'
complete -c mfactl -n "__fish_mfactl_needs_command" -s h -l help -d 'Print help'
complete -c mfactl -n "__fish_mfactl_needs_command" -s V -l version -d 'Print version'
complete -c mfactl -n "__fish_mfactl_needs_command" -f -a "status" -d 'Show your own account: factors, codes left, locks'
complete -c mfactl -n "__fish_mfactl_needs_command" -f -a "history" -d 'Show what happened to your own account'
complete -c mfactl -n "__fish_mfactl_needs_command" -f -a "enrol" -d 'Add a factor: an app, a token, an address'
complete -c mfactl -n "__fish_mfactl_needs_command" -f -a "confirm" -d 'Confirm a new factor by its first code'
complete -c mfactl -n "__fish_mfactl_needs_command" -f -a "remove" -d 'Take a factor away'
complete -c mfactl -n "__fish_mfactl_needs_command" -f -a "prefer" -d 'Choose the factor that is asked for first'
complete -c mfactl -n "__fish_mfactl_needs_command" -f -a "recovery" -d 'Recovery codes, for the day that the other factors are lost'
complete -c mfactl -n "__fish_mfactl_needs_command" -f -a "devices" -d 'Remembered devices: shown by status, forgotten here'
complete -c mfactl -n "__fish_mfactl_needs_command" -f -a "user" -d 'Show or change one person\'s account'
complete -c mfactl -n "__fish_mfactl_needs_command" -f -a "users" -d 'List the accounts that mfad knows'
complete -c mfactl -n "__fish_mfactl_needs_command" -f -a "bypass" -d 'Codes that let somebody in without a factor of theirs'
complete -c mfactl -n "__fish_mfactl_needs_command" -f -a "enrol-ticket" -d 'Leave to enrol at a login'
complete -c mfactl -n "__fish_mfactl_needs_command" -f -a "import" -d 'Take over factors of other programs'
complete -c mfactl -n "__fish_mfactl_needs_command" -f -a "key" -d 'The key that seals the secrets'
complete -c mfactl -n "__fish_mfactl_needs_command" -f -a "explain" -d 'Tell what a login would meet, and which rule says so'
complete -c mfactl -n "__fish_mfactl_needs_command" -f -a "report" -d 'Tell who would be locked out'
complete -c mfactl -n "__fish_mfactl_needs_command" -f -a "setup" -d 'Set mfad up: mail, a first person, a trial, and only then switch it on'
complete -c mfactl -n "__fish_mfactl_needs_command" -f -a "doctor" -d 'Look for every way around the second factor, and every way to be locked out'
complete -c mfactl -n "__fish_mfactl_needs_command" -f -a "config" -d 'The configuration: checked, or put into effect'
complete -c mfactl -n "__fish_mfactl_needs_command" -f -a "test" -d 'Try a part of mfad'
complete -c mfactl -n "__fish_mfactl_needs_command" -f -a "events" -d 'Show what happened: logins, refusals, changes'
complete -c mfactl -n "__fish_mfactl_needs_command" -f -a "audit" -d 'The record of what happened, as a whole'
complete -c mfactl -n "__fish_mfactl_needs_command" -f -a "backup" -d 'Write an encrypted copy of the database, while mfad runs'
complete -c mfactl -n "__fish_mfactl_needs_command" -f -a "restore" -d 'Put a backup in the place of the database'
complete -c mfactl -n "__fish_mfactl_needs_command" -f -a "stats" -d 'Count logins by hour, outcome and factor'
complete -c mfactl -n "__fish_mfactl_needs_command" -f -a "metrics" -d 'Show mfad\'s counters as Prometheus reads them'
complete -c mfactl -n "__fish_mfactl_needs_command" -f -a "health" -d 'Show how mfad is'
complete -c mfactl -n "__fish_mfactl_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c mfactl -n "__fish_mfactl_using_subcommand status" -l user -d 'Somebody else\'s account; for administrators' -r
complete -c mfactl -n "__fish_mfactl_using_subcommand status" -l socket -d 'The socket that mfad listens on' -r -F
complete -c mfactl -n "__fish_mfactl_using_subcommand status" -l json -d 'Print mfad\'s answers as JSON, one a line'
complete -c mfactl -n "__fish_mfactl_using_subcommand status" -s h -l help -d 'Print help'
complete -c mfactl -n "__fish_mfactl_using_subcommand history" -l user -d 'Only this person\'s' -r
complete -c mfactl -n "__fish_mfactl_using_subcommand history" -l kind -d 'Only of this kind: login-refused, code-wrong' -r
complete -c mfactl -n "__fish_mfactl_using_subcommand history" -l service -d 'Only by this PAM service' -r
complete -c mfactl -n "__fish_mfactl_using_subcommand history" -l source -d 'Only from this address, or local, or unknown' -r
complete -c mfactl -n "__fish_mfactl_using_subcommand history" -l reference -d 'Only of the login whose reference begins so' -r
complete -c mfactl -n "__fish_mfactl_using_subcommand history" -l since -d 'Not before this: 1h, 2d, 2026-11-05, 2026-11-05T14:00:00Z' -r
complete -c mfactl -n "__fish_mfactl_using_subcommand history" -l last -d 'Only so many of the newest' -r
complete -c mfactl -n "__fish_mfactl_using_subcommand history" -l socket -d 'The socket that mfad listens on' -r -F
complete -c mfactl -n "__fish_mfactl_using_subcommand history" -l follow -d 'Wait for more; starts with the last 10 unless told otherwise'
complete -c mfactl -n "__fish_mfactl_using_subcommand history" -l json -d 'Print mfad\'s answers as JSON, one a line'
complete -c mfactl -n "__fish_mfactl_using_subcommand history" -s h -l help -d 'Print help'
complete -c mfactl -n "__fish_mfactl_using_subcommand enrol" -l algorithm -d 'The hash of a totp; most apps know only the first [default: SHA1]' -r -f -a "SHA1\t''
SHA256\t''
SHA512\t''"
complete -c mfactl -n "__fish_mfactl_using_subcommand enrol" -l digits -d 'Digits of a code of a totp or hotp [default: 6]' -r
complete -c mfactl -n "__fish_mfactl_using_subcommand enrol" -l step -d 'Seconds that a totp shows a code [default: 30]' -r
complete -c mfactl -n "__fish_mfactl_using_subcommand enrol" -l user -d 'Somebody else\'s account; for administrators' -r
complete -c mfactl -n "__fish_mfactl_using_subcommand enrol" -l socket -d 'The socket that mfad listens on' -r -F
complete -c mfactl -n "__fish_mfactl_using_subcommand enrol" -l inverted -d 'Draw for a terminal with dark text on light ground'
complete -c mfactl -n "__fish_mfactl_using_subcommand enrol" -l json -d 'Print mfad\'s answers as JSON, one a line'
complete -c mfactl -n "__fish_mfactl_using_subcommand enrol" -s h -l help -d 'Print help'
complete -c mfactl -n "__fish_mfactl_using_subcommand confirm" -l user -d 'Somebody else\'s account; for administrators' -r
complete -c mfactl -n "__fish_mfactl_using_subcommand confirm" -l socket -d 'The socket that mfad listens on' -r -F
complete -c mfactl -n "__fish_mfactl_using_subcommand confirm" -l json -d 'Print mfad\'s answers as JSON, one a line'
complete -c mfactl -n "__fish_mfactl_using_subcommand confirm" -s h -l help -d 'Print help'
complete -c mfactl -n "__fish_mfactl_using_subcommand remove" -l user -d 'Somebody else\'s account; for administrators' -r
complete -c mfactl -n "__fish_mfactl_using_subcommand remove" -l socket -d 'The socket that mfad listens on' -r -F
complete -c mfactl -n "__fish_mfactl_using_subcommand remove" -l json -d 'Print mfad\'s answers as JSON, one a line'
complete -c mfactl -n "__fish_mfactl_using_subcommand remove" -s h -l help -d 'Print help'
complete -c mfactl -n "__fish_mfactl_using_subcommand prefer" -l user -d 'Somebody else\'s account; for administrators' -r
complete -c mfactl -n "__fish_mfactl_using_subcommand prefer" -l socket -d 'The socket that mfad listens on' -r -F
complete -c mfactl -n "__fish_mfactl_using_subcommand prefer" -l none -d 'None: the order of this host counts'
complete -c mfactl -n "__fish_mfactl_using_subcommand prefer" -l json -d 'Print mfad\'s answers as JSON, one a line'
complete -c mfactl -n "__fish_mfactl_using_subcommand prefer" -s h -l help -d 'Print help'
complete -c mfactl -n "__fish_mfactl_using_subcommand recovery; and not __fish_seen_subcommand_from new help" -l socket -d 'The socket that mfad listens on' -r -F
complete -c mfactl -n "__fish_mfactl_using_subcommand recovery; and not __fish_seen_subcommand_from new help" -l json -d 'Print mfad\'s answers as JSON, one a line'
complete -c mfactl -n "__fish_mfactl_using_subcommand recovery; and not __fish_seen_subcommand_from new help" -s h -l help -d 'Print help'
complete -c mfactl -n "__fish_mfactl_using_subcommand recovery; and not __fish_seen_subcommand_from new help" -f -a "new" -d 'Make new ones; the old ones end'
complete -c mfactl -n "__fish_mfactl_using_subcommand recovery; and not __fish_seen_subcommand_from new help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c mfactl -n "__fish_mfactl_using_subcommand recovery; and __fish_seen_subcommand_from new" -l user -d 'Somebody else\'s account; for administrators' -r
complete -c mfactl -n "__fish_mfactl_using_subcommand recovery; and __fish_seen_subcommand_from new" -l socket -d 'The socket that mfad listens on' -r -F
complete -c mfactl -n "__fish_mfactl_using_subcommand recovery; and __fish_seen_subcommand_from new" -l json -d 'Print mfad\'s answers as JSON, one a line'
complete -c mfactl -n "__fish_mfactl_using_subcommand recovery; and __fish_seen_subcommand_from new" -s h -l help -d 'Print help'
complete -c mfactl -n "__fish_mfactl_using_subcommand recovery; and __fish_seen_subcommand_from help" -f -a "new" -d 'Make new ones; the old ones end'
complete -c mfactl -n "__fish_mfactl_using_subcommand recovery; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c mfactl -n "__fish_mfactl_using_subcommand devices; and not __fish_seen_subcommand_from list revoke help" -l socket -d 'The socket that mfad listens on' -r -F
complete -c mfactl -n "__fish_mfactl_using_subcommand devices; and not __fish_seen_subcommand_from list revoke help" -l json -d 'Print mfad\'s answers as JSON, one a line'
complete -c mfactl -n "__fish_mfactl_using_subcommand devices; and not __fish_seen_subcommand_from list revoke help" -s h -l help -d 'Print help'
complete -c mfactl -n "__fish_mfactl_using_subcommand devices; and not __fish_seen_subcommand_from list revoke help" -f -a "list" -d 'List them'
complete -c mfactl -n "__fish_mfactl_using_subcommand devices; and not __fish_seen_subcommand_from list revoke help" -f -a "revoke" -d 'Forget one, or all'
complete -c mfactl -n "__fish_mfactl_using_subcommand devices; and not __fish_seen_subcommand_from list revoke help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c mfactl -n "__fish_mfactl_using_subcommand devices; and __fish_seen_subcommand_from list" -l user -d 'Somebody else\'s account; for administrators' -r
complete -c mfactl -n "__fish_mfactl_using_subcommand devices; and __fish_seen_subcommand_from list" -l socket -d 'The socket that mfad listens on' -r -F
complete -c mfactl -n "__fish_mfactl_using_subcommand devices; and __fish_seen_subcommand_from list" -l json -d 'Print mfad\'s answers as JSON, one a line'
complete -c mfactl -n "__fish_mfactl_using_subcommand devices; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c mfactl -n "__fish_mfactl_using_subcommand devices; and __fish_seen_subcommand_from revoke" -l user -d 'Somebody else\'s account; for administrators' -r
complete -c mfactl -n "__fish_mfactl_using_subcommand devices; and __fish_seen_subcommand_from revoke" -l socket -d 'The socket that mfad listens on' -r -F
complete -c mfactl -n "__fish_mfactl_using_subcommand devices; and __fish_seen_subcommand_from revoke" -l all -d 'All of them'
complete -c mfactl -n "__fish_mfactl_using_subcommand devices; and __fish_seen_subcommand_from revoke" -l json -d 'Print mfad\'s answers as JSON, one a line'
complete -c mfactl -n "__fish_mfactl_using_subcommand devices; and __fish_seen_subcommand_from revoke" -s h -l help -d 'Print help'
complete -c mfactl -n "__fish_mfactl_using_subcommand devices; and __fish_seen_subcommand_from help" -f -a "list" -d 'List them'
complete -c mfactl -n "__fish_mfactl_using_subcommand devices; and __fish_seen_subcommand_from help" -f -a "revoke" -d 'Forget one, or all'
complete -c mfactl -n "__fish_mfactl_using_subcommand devices; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c mfactl -n "__fish_mfactl_using_subcommand user; and not __fish_seen_subcommand_from enable disable show unlock reset email help" -l socket -d 'The socket that mfad listens on' -r -F
complete -c mfactl -n "__fish_mfactl_using_subcommand user; and not __fish_seen_subcommand_from enable disable show unlock reset email help" -l json -d 'Print mfad\'s answers as JSON, one a line'
complete -c mfactl -n "__fish_mfactl_using_subcommand user; and not __fish_seen_subcommand_from enable disable show unlock reset email help" -s h -l help -d 'Print help'
complete -c mfactl -n "__fish_mfactl_using_subcommand user; and not __fish_seen_subcommand_from enable disable show unlock reset email help" -f -a "enable" -d 'Switch the second factor on'
complete -c mfactl -n "__fish_mfactl_using_subcommand user; and not __fish_seen_subcommand_from enable disable show unlock reset email help" -f -a "disable" -d 'Switch the second factor off'
complete -c mfactl -n "__fish_mfactl_using_subcommand user; and not __fish_seen_subcommand_from enable disable show unlock reset email help" -f -a "show" -d 'Show the account: address, factors, locks, codes that are out'
complete -c mfactl -n "__fish_mfactl_using_subcommand user; and not __fish_seen_subcommand_from enable disable show unlock reset email help" -f -a "unlock" -d 'Forget failures and locks'
complete -c mfactl -n "__fish_mfactl_using_subcommand user; and not __fish_seen_subcommand_from enable disable show unlock reset email help" -f -a "reset" -d 'Forget every factor and every code; switch and address stay'
complete -c mfactl -n "__fish_mfactl_using_subcommand user; and not __fish_seen_subcommand_from enable disable show unlock reset email help" -f -a "email" -d 'Set or clear the address that codes are mailed to'
complete -c mfactl -n "__fish_mfactl_using_subcommand user; and not __fish_seen_subcommand_from enable disable show unlock reset email help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c mfactl -n "__fish_mfactl_using_subcommand user; and __fish_seen_subcommand_from enable" -l socket -d 'The socket that mfad listens on' -r -F
complete -c mfactl -n "__fish_mfactl_using_subcommand user; and __fish_seen_subcommand_from enable" -l json -d 'Print mfad\'s answers as JSON, one a line'
complete -c mfactl -n "__fish_mfactl_using_subcommand user; and __fish_seen_subcommand_from enable" -s h -l help -d 'Print help'
complete -c mfactl -n "__fish_mfactl_using_subcommand user; and __fish_seen_subcommand_from disable" -l socket -d 'The socket that mfad listens on' -r -F
complete -c mfactl -n "__fish_mfactl_using_subcommand user; and __fish_seen_subcommand_from disable" -l json -d 'Print mfad\'s answers as JSON, one a line'
complete -c mfactl -n "__fish_mfactl_using_subcommand user; and __fish_seen_subcommand_from disable" -s h -l help -d 'Print help'
complete -c mfactl -n "__fish_mfactl_using_subcommand user; and __fish_seen_subcommand_from show" -l socket -d 'The socket that mfad listens on' -r -F
complete -c mfactl -n "__fish_mfactl_using_subcommand user; and __fish_seen_subcommand_from show" -l json -d 'Print mfad\'s answers as JSON, one a line'
complete -c mfactl -n "__fish_mfactl_using_subcommand user; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help'
complete -c mfactl -n "__fish_mfactl_using_subcommand user; and __fish_seen_subcommand_from unlock" -l socket -d 'The socket that mfad listens on' -r -F
complete -c mfactl -n "__fish_mfactl_using_subcommand user; and __fish_seen_subcommand_from unlock" -l json -d 'Print mfad\'s answers as JSON, one a line'
complete -c mfactl -n "__fish_mfactl_using_subcommand user; and __fish_seen_subcommand_from unlock" -s h -l help -d 'Print help'
complete -c mfactl -n "__fish_mfactl_using_subcommand user; and __fish_seen_subcommand_from reset" -l socket -d 'The socket that mfad listens on' -r -F
complete -c mfactl -n "__fish_mfactl_using_subcommand user; and __fish_seen_subcommand_from reset" -l json -d 'Print mfad\'s answers as JSON, one a line'
complete -c mfactl -n "__fish_mfactl_using_subcommand user; and __fish_seen_subcommand_from reset" -s h -l help -d 'Print help'
complete -c mfactl -n "__fish_mfactl_using_subcommand user; and __fish_seen_subcommand_from email" -l socket -d 'The socket that mfad listens on' -r -F
complete -c mfactl -n "__fish_mfactl_using_subcommand user; and __fish_seen_subcommand_from email" -l clear -d 'Keep no address in the account'
complete -c mfactl -n "__fish_mfactl_using_subcommand user; and __fish_seen_subcommand_from email" -l json -d 'Print mfad\'s answers as JSON, one a line'
complete -c mfactl -n "__fish_mfactl_using_subcommand user; and __fish_seen_subcommand_from email" -s h -l help -d 'Print help'
complete -c mfactl -n "__fish_mfactl_using_subcommand user; and __fish_seen_subcommand_from help" -f -a "enable" -d 'Switch the second factor on'
complete -c mfactl -n "__fish_mfactl_using_subcommand user; and __fish_seen_subcommand_from help" -f -a "disable" -d 'Switch the second factor off'
complete -c mfactl -n "__fish_mfactl_using_subcommand user; and __fish_seen_subcommand_from help" -f -a "show" -d 'Show the account: address, factors, locks, codes that are out'
complete -c mfactl -n "__fish_mfactl_using_subcommand user; and __fish_seen_subcommand_from help" -f -a "unlock" -d 'Forget failures and locks'
complete -c mfactl -n "__fish_mfactl_using_subcommand user; and __fish_seen_subcommand_from help" -f -a "reset" -d 'Forget every factor and every code; switch and address stay'
complete -c mfactl -n "__fish_mfactl_using_subcommand user; and __fish_seen_subcommand_from help" -f -a "email" -d 'Set or clear the address that codes are mailed to'
complete -c mfactl -n "__fish_mfactl_using_subcommand user; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c mfactl -n "__fish_mfactl_using_subcommand users" -l filter -d 'Only names and addresses that contain this' -r
complete -c mfactl -n "__fish_mfactl_using_subcommand users" -l socket -d 'The socket that mfad listens on' -r -F
complete -c mfactl -n "__fish_mfactl_using_subcommand users" -l json -d 'Print mfad\'s answers as JSON, one a line'
complete -c mfactl -n "__fish_mfactl_using_subcommand users" -s h -l help -d 'Print help'
complete -c mfactl -n "__fish_mfactl_using_subcommand bypass; and not __fish_seen_subcommand_from issue revoke help" -l socket -d 'The socket that mfad listens on' -r -F
complete -c mfactl -n "__fish_mfactl_using_subcommand bypass; and not __fish_seen_subcommand_from issue revoke help" -l json -d 'Print mfad\'s answers as JSON, one a line'
complete -c mfactl -n "__fish_mfactl_using_subcommand bypass; and not __fish_seen_subcommand_from issue revoke help" -s h -l help -d 'Print help'
complete -c mfactl -n "__fish_mfactl_using_subcommand bypass; and not __fish_seen_subcommand_from issue revoke help" -f -a "issue" -d 'Give one out'
complete -c mfactl -n "__fish_mfactl_using_subcommand bypass; and not __fish_seen_subcommand_from issue revoke help" -f -a "revoke" -d 'Make all that are out void'
complete -c mfactl -n "__fish_mfactl_using_subcommand bypass; and not __fish_seen_subcommand_from issue revoke help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c mfactl -n "__fish_mfactl_using_subcommand bypass; and __fish_seen_subcommand_from issue" -l uses -d 'How many logins it is good for' -r
complete -c mfactl -n "__fish_mfactl_using_subcommand bypass; and __fish_seen_subcommand_from issue" -l for -d 'For how long: 90s, 1h, 3d; at most 3d' -r
complete -c mfactl -n "__fish_mfactl_using_subcommand bypass; and __fish_seen_subcommand_from issue" -l reason -d 'Why, for the audit' -r
complete -c mfactl -n "__fish_mfactl_using_subcommand bypass; and __fish_seen_subcommand_from issue" -l socket -d 'The socket that mfad listens on' -r -F
complete -c mfactl -n "__fish_mfactl_using_subcommand bypass; and __fish_seen_subcommand_from issue" -l json -d 'Print mfad\'s answers as JSON, one a line'
complete -c mfactl -n "__fish_mfactl_using_subcommand bypass; and __fish_seen_subcommand_from issue" -s h -l help -d 'Print help'
complete -c mfactl -n "__fish_mfactl_using_subcommand bypass; and __fish_seen_subcommand_from revoke" -l socket -d 'The socket that mfad listens on' -r -F
complete -c mfactl -n "__fish_mfactl_using_subcommand bypass; and __fish_seen_subcommand_from revoke" -l json -d 'Print mfad\'s answers as JSON, one a line'
complete -c mfactl -n "__fish_mfactl_using_subcommand bypass; and __fish_seen_subcommand_from revoke" -s h -l help -d 'Print help'
complete -c mfactl -n "__fish_mfactl_using_subcommand bypass; and __fish_seen_subcommand_from help" -f -a "issue" -d 'Give one out'
complete -c mfactl -n "__fish_mfactl_using_subcommand bypass; and __fish_seen_subcommand_from help" -f -a "revoke" -d 'Make all that are out void'
complete -c mfactl -n "__fish_mfactl_using_subcommand bypass; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c mfactl -n "__fish_mfactl_using_subcommand enrol-ticket; and not __fish_seen_subcommand_from issue help" -l socket -d 'The socket that mfad listens on' -r -F
complete -c mfactl -n "__fish_mfactl_using_subcommand enrol-ticket; and not __fish_seen_subcommand_from issue help" -l json -d 'Print mfad\'s answers as JSON, one a line'
complete -c mfactl -n "__fish_mfactl_using_subcommand enrol-ticket; and not __fish_seen_subcommand_from issue help" -s h -l help -d 'Print help'
complete -c mfactl -n "__fish_mfactl_using_subcommand enrol-ticket; and not __fish_seen_subcommand_from issue help" -f -a "issue" -d 'Give one out; an earlier one ends'
complete -c mfactl -n "__fish_mfactl_using_subcommand enrol-ticket; and not __fish_seen_subcommand_from issue help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c mfactl -n "__fish_mfactl_using_subcommand enrol-ticket; and __fish_seen_subcommand_from issue" -l for -d 'For how long: 90s, 1h, 3d; at most 3d' -r
complete -c mfactl -n "__fish_mfactl_using_subcommand enrol-ticket; and __fish_seen_subcommand_from issue" -l socket -d 'The socket that mfad listens on' -r -F
complete -c mfactl -n "__fish_mfactl_using_subcommand enrol-ticket; and __fish_seen_subcommand_from issue" -l json -d 'Print mfad\'s answers as JSON, one a line'
complete -c mfactl -n "__fish_mfactl_using_subcommand enrol-ticket; and __fish_seen_subcommand_from issue" -s h -l help -d 'Print help'
complete -c mfactl -n "__fish_mfactl_using_subcommand enrol-ticket; and __fish_seen_subcommand_from help" -f -a "issue" -d 'Give one out; an earlier one ends'
complete -c mfactl -n "__fish_mfactl_using_subcommand enrol-ticket; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c mfactl -n "__fish_mfactl_using_subcommand import; and not __fish_seen_subcommand_from google-authenticator oath otpauth help" -l socket -d 'The socket that mfad listens on' -r -F
complete -c mfactl -n "__fish_mfactl_using_subcommand import; and not __fish_seen_subcommand_from google-authenticator oath otpauth help" -l json -d 'Print mfad\'s answers as JSON, one a line'
complete -c mfactl -n "__fish_mfactl_using_subcommand import; and not __fish_seen_subcommand_from google-authenticator oath otpauth help" -s h -l help -d 'Print help'
complete -c mfactl -n "__fish_mfactl_using_subcommand import; and not __fish_seen_subcommand_from google-authenticator oath otpauth help" -f -a "google-authenticator" -d 'The state files of pam_google_authenticator'
complete -c mfactl -n "__fish_mfactl_using_subcommand import; and not __fish_seen_subcommand_from google-authenticator oath otpauth help" -f -a "oath" -d 'The users file of pam_oath: /etc/users.oath'
complete -c mfactl -n "__fish_mfactl_using_subcommand import; and not __fish_seen_subcommand_from google-authenticator oath otpauth help" -f -a "otpauth" -d 'URIs, one a line: otpauth://… or an export of Google\'s app'
complete -c mfactl -n "__fish_mfactl_using_subcommand import; and not __fish_seen_subcommand_from google-authenticator oath otpauth help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c mfactl -n "__fish_mfactl_using_subcommand import; and __fish_seen_subcommand_from google-authenticator" -l user -d 'Whose it is' -r
complete -c mfactl -n "__fish_mfactl_using_subcommand import; and __fish_seen_subcommand_from google-authenticator" -l socket -d 'The socket that mfad listens on' -r -F
complete -c mfactl -n "__fish_mfactl_using_subcommand import; and __fish_seen_subcommand_from google-authenticator" -l all -d 'Everybody\'s whom getent passwd lists'
complete -c mfactl -n "__fish_mfactl_using_subcommand import; and __fish_seen_subcommand_from google-authenticator" -l yes -d 'Carry it out; without this nothing is changed'
complete -c mfactl -n "__fish_mfactl_using_subcommand import; and __fish_seen_subcommand_from google-authenticator" -l json -d 'Print mfad\'s answers as JSON, one a line'
complete -c mfactl -n "__fish_mfactl_using_subcommand import; and __fish_seen_subcommand_from google-authenticator" -s h -l help -d 'Print help'
complete -c mfactl -n "__fish_mfactl_using_subcommand import; and __fish_seen_subcommand_from oath" -l socket -d 'The socket that mfad listens on' -r -F
complete -c mfactl -n "__fish_mfactl_using_subcommand import; and __fish_seen_subcommand_from oath" -l yes -d 'Carry it out; without this nothing is changed'
complete -c mfactl -n "__fish_mfactl_using_subcommand import; and __fish_seen_subcommand_from oath" -l json -d 'Print mfad\'s answers as JSON, one a line'
complete -c mfactl -n "__fish_mfactl_using_subcommand import; and __fish_seen_subcommand_from oath" -s h -l help -d 'Print help'
complete -c mfactl -n "__fish_mfactl_using_subcommand import; and __fish_seen_subcommand_from otpauth" -l socket -d 'The socket that mfad listens on' -r -F
complete -c mfactl -n "__fish_mfactl_using_subcommand import; and __fish_seen_subcommand_from otpauth" -l yes -d 'Carry it out; without this nothing is changed'
complete -c mfactl -n "__fish_mfactl_using_subcommand import; and __fish_seen_subcommand_from otpauth" -l json -d 'Print mfad\'s answers as JSON, one a line'
complete -c mfactl -n "__fish_mfactl_using_subcommand import; and __fish_seen_subcommand_from otpauth" -s h -l help -d 'Print help'
complete -c mfactl -n "__fish_mfactl_using_subcommand import; and __fish_seen_subcommand_from help" -f -a "google-authenticator" -d 'The state files of pam_google_authenticator'
complete -c mfactl -n "__fish_mfactl_using_subcommand import; and __fish_seen_subcommand_from help" -f -a "oath" -d 'The users file of pam_oath: /etc/users.oath'
complete -c mfactl -n "__fish_mfactl_using_subcommand import; and __fish_seen_subcommand_from help" -f -a "otpauth" -d 'URIs, one a line: otpauth://… or an export of Google\'s app'
complete -c mfactl -n "__fish_mfactl_using_subcommand import; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c mfactl -n "__fish_mfactl_using_subcommand key; and not __fish_seen_subcommand_from rotate help" -l socket -d 'The socket that mfad listens on' -r -F
complete -c mfactl -n "__fish_mfactl_using_subcommand key; and not __fish_seen_subcommand_from rotate help" -l json -d 'Print mfad\'s answers as JSON, one a line'
complete -c mfactl -n "__fish_mfactl_using_subcommand key; and not __fish_seen_subcommand_from rotate help" -s h -l help -d 'Print help'
complete -c mfactl -n "__fish_mfactl_using_subcommand key; and not __fish_seen_subcommand_from rotate help" -f -a "rotate" -d 'Seal every secret anew by the first key of the key file'
complete -c mfactl -n "__fish_mfactl_using_subcommand key; and not __fish_seen_subcommand_from rotate help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c mfactl -n "__fish_mfactl_using_subcommand key; and __fish_seen_subcommand_from rotate" -l socket -d 'The socket that mfad listens on' -r -F
complete -c mfactl -n "__fish_mfactl_using_subcommand key; and __fish_seen_subcommand_from rotate" -l json -d 'Print mfad\'s answers as JSON, one a line'
complete -c mfactl -n "__fish_mfactl_using_subcommand key; and __fish_seen_subcommand_from rotate" -s h -l help -d 'Print help'
complete -c mfactl -n "__fish_mfactl_using_subcommand key; and __fish_seen_subcommand_from help" -f -a "rotate" -d 'Seal every secret anew by the first key of the key file'
complete -c mfactl -n "__fish_mfactl_using_subcommand key; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c mfactl -n "__fish_mfactl_using_subcommand explain" -l service -d 'The PAM service' -r
complete -c mfactl -n "__fish_mfactl_using_subcommand explain" -l from -d 'Where from: an address, or "local" for a terminal of this host [default: not known]' -r
complete -c mfactl -n "__fish_mfactl_using_subcommand explain" -l key -d 'The SSH key that was proved: its public file, its type (ssh-ed25519), or its fingerprint (SHA256:...)' -r -F
complete -c mfactl -n "__fish_mfactl_using_subcommand explain" -l at -d 'When: 2026-11-05, 2026-11-05T14:00:00Z [default: now]' -r
complete -c mfactl -n "__fish_mfactl_using_subcommand explain" -l socket -d 'The socket that mfad listens on' -r -F
complete -c mfactl -n "__fish_mfactl_using_subcommand explain" -l json -d 'Print mfad\'s answers as JSON, one a line'
complete -c mfactl -n "__fish_mfactl_using_subcommand explain" -s h -l help -d 'Print help'
complete -c mfactl -n "__fish_mfactl_using_subcommand report; and not __fish_seen_subcommand_from rollout help" -l socket -d 'The socket that mfad listens on' -r -F
complete -c mfactl -n "__fish_mfactl_using_subcommand report; and not __fish_seen_subcommand_from rollout help" -l json -d 'Print mfad\'s answers as JSON, one a line'
complete -c mfactl -n "__fish_mfactl_using_subcommand report; and not __fish_seen_subcommand_from rollout help" -s h -l help -d 'Print help'
complete -c mfactl -n "__fish_mfactl_using_subcommand report; and not __fish_seen_subcommand_from rollout help" -f -a "rollout" -d 'By what would happen if a factor were asked of everybody, and by what dry runs saw'
complete -c mfactl -n "__fish_mfactl_using_subcommand report; and not __fish_seen_subcommand_from rollout help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c mfactl -n "__fish_mfactl_using_subcommand report; and __fish_seen_subcommand_from rollout" -l service -d 'The PAM service' -r
complete -c mfactl -n "__fish_mfactl_using_subcommand report; and __fish_seen_subcommand_from rollout" -l socket -d 'The socket that mfad listens on' -r -F
complete -c mfactl -n "__fish_mfactl_using_subcommand report; and __fish_seen_subcommand_from rollout" -l json -d 'Print mfad\'s answers as JSON, one a line'
complete -c mfactl -n "__fish_mfactl_using_subcommand report; and __fish_seen_subcommand_from rollout" -s h -l help -d 'Print help'
complete -c mfactl -n "__fish_mfactl_using_subcommand report; and __fish_seen_subcommand_from help" -f -a "rollout" -d 'By what would happen if a factor were asked of everybody, and by what dry runs saw'
complete -c mfactl -n "__fish_mfactl_using_subcommand report; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c mfactl -n "__fish_mfactl_using_subcommand setup" -l user -d 'The administrator who is enrolled, and who tries the login [default: who called sudo, else root]' -r
complete -c mfactl -n "__fish_mfactl_using_subcommand setup" -l relay -d 'How mail leaves this host: keep (as configured), sendmail, smtp://HOST or smtps://USER@HOST' -r
complete -c mfactl -n "__fish_mfactl_using_subcommand setup" -l relay-password-file -d 'The file with the password of the user in the URL' -r -F
complete -c mfactl -n "__fish_mfactl_using_subcommand setup" -l factor -d 'What the administrator proves the login with; keep: what they have' -r -f -a "email\t'Codes by mail'
totp\t'An authenticator app'
keep\t'What they are enrolled with already'"
complete -c mfactl -n "__fish_mfactl_using_subcommand setup" -l address -d 'The administrator\'s address: the test mail goes there, and codes' -r
complete -c mfactl -n "__fish_mfactl_using_subcommand setup" -l trial -d 'What the login is tried by [default: sshd, or su where sshd wants more than password and code]' -r -f -a "sshd\t'This host\'s sshd with its configuration, over loopback'
su\t'su, called by nobody'
none\t'Nothing: it is not tried'"
complete -c mfactl -n "__fish_mfactl_using_subcommand setup" -l password-file -d 'The file with the administrator\'s password: nobody types at the trial, a bypass code is used' -r -F
complete -c mfactl -n "__fish_mfactl_using_subcommand setup" -l ssh-keys -d 'Whether an SSH key lets in alone, or takes password and code as well' -r -f -a "alone\t'It lets in alone: sshd does not ask PAM then'
with-code\t'Password and code are asked for as well'"
complete -c mfactl -n "__fish_mfactl_using_subcommand setup" -l sshd -d 'What becomes of the lines that sshd needs' -r -f -a "write\t'They are written to a file of their own'
show\t'They are shown, and somebody else writes them'"
complete -c mfactl -n "__fish_mfactl_using_subcommand setup" -l accept -d 'Go on in spite of this finding of the doctor' -r
complete -c mfactl -n "__fish_mfactl_using_subcommand setup" -l switch-on -d 'Whether to switch on when all is well' -r -f -a "yes\t'Do it'
no\t'Leave it'"
complete -c mfactl -n "__fish_mfactl_using_subcommand setup" -l socket -d 'The socket that mfad listens on' -r -F
complete -c mfactl -n "__fish_mfactl_using_subcommand setup" -l unattended -d 'Never ask; what has neither a flag nor a default ends it'
complete -c mfactl -n "__fish_mfactl_using_subcommand setup" -l undo -d 'Take back what the last setup switched on'
complete -c mfactl -n "__fish_mfactl_using_subcommand setup" -l json -d 'Print mfad\'s answers as JSON, one a line'
complete -c mfactl -n "__fish_mfactl_using_subcommand setup" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mfactl -n "__fish_mfactl_using_subcommand doctor" -l root -d 'Examine the image of a host in this directory, without its daemon' -r -F
complete -c mfactl -n "__fish_mfactl_using_subcommand doctor" -l socket -d 'The socket that mfad listens on' -r -F
complete -c mfactl -n "__fish_mfactl_using_subcommand doctor" -l json -d 'Print mfad\'s answers as JSON, one a line'
complete -c mfactl -n "__fish_mfactl_using_subcommand doctor" -s h -l help -d 'Print help'
complete -c mfactl -n "__fish_mfactl_using_subcommand config; and not __fish_seen_subcommand_from check reload help" -l socket -d 'The socket that mfad listens on' -r -F
complete -c mfactl -n "__fish_mfactl_using_subcommand config; and not __fish_seen_subcommand_from check reload help" -l json -d 'Print mfad\'s answers as JSON, one a line'
complete -c mfactl -n "__fish_mfactl_using_subcommand config; and not __fish_seen_subcommand_from check reload help" -s h -l help -d 'Print help'
complete -c mfactl -n "__fish_mfactl_using_subcommand config; and not __fish_seen_subcommand_from check reload help" -f -a "check" -d 'Read the files with mfad\'s own parser, and change nothing'
complete -c mfactl -n "__fish_mfactl_using_subcommand config; and not __fish_seen_subcommand_from check reload help" -f -a "reload" -d 'Put the files into effect, or say why not and keep what is'
complete -c mfactl -n "__fish_mfactl_using_subcommand config; and not __fish_seen_subcommand_from check reload help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c mfactl -n "__fish_mfactl_using_subcommand config; and __fish_seen_subcommand_from check" -l socket -d 'The socket that mfad listens on' -r -F
complete -c mfactl -n "__fish_mfactl_using_subcommand config; and __fish_seen_subcommand_from check" -l json -d 'Print mfad\'s answers as JSON, one a line'
complete -c mfactl -n "__fish_mfactl_using_subcommand config; and __fish_seen_subcommand_from check" -s h -l help -d 'Print help'
complete -c mfactl -n "__fish_mfactl_using_subcommand config; and __fish_seen_subcommand_from reload" -l socket -d 'The socket that mfad listens on' -r -F
complete -c mfactl -n "__fish_mfactl_using_subcommand config; and __fish_seen_subcommand_from reload" -l json -d 'Print mfad\'s answers as JSON, one a line'
complete -c mfactl -n "__fish_mfactl_using_subcommand config; and __fish_seen_subcommand_from reload" -s h -l help -d 'Print help'
complete -c mfactl -n "__fish_mfactl_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "check" -d 'Read the files with mfad\'s own parser, and change nothing'
complete -c mfactl -n "__fish_mfactl_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "reload" -d 'Put the files into effect, or say why not and keep what is'
complete -c mfactl -n "__fish_mfactl_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c mfactl -n "__fish_mfactl_using_subcommand test; and not __fish_seen_subcommand_from mail help" -l socket -d 'The socket that mfad listens on' -r -F
complete -c mfactl -n "__fish_mfactl_using_subcommand test; and not __fish_seen_subcommand_from mail help" -l json -d 'Print mfad\'s answers as JSON, one a line'
complete -c mfactl -n "__fish_mfactl_using_subcommand test; and not __fish_seen_subcommand_from mail help" -s h -l help -d 'Print help'
complete -c mfactl -n "__fish_mfactl_using_subcommand test; and not __fish_seen_subcommand_from mail help" -f -a "mail" -d 'Send a test mail the way codes are sent'
complete -c mfactl -n "__fish_mfactl_using_subcommand test; and not __fish_seen_subcommand_from mail help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c mfactl -n "__fish_mfactl_using_subcommand test; and __fish_seen_subcommand_from mail" -l socket -d 'The socket that mfad listens on' -r -F
complete -c mfactl -n "__fish_mfactl_using_subcommand test; and __fish_seen_subcommand_from mail" -l json -d 'Print mfad\'s answers as JSON, one a line'
complete -c mfactl -n "__fish_mfactl_using_subcommand test; and __fish_seen_subcommand_from mail" -s h -l help -d 'Print help'
complete -c mfactl -n "__fish_mfactl_using_subcommand test; and __fish_seen_subcommand_from help" -f -a "mail" -d 'Send a test mail the way codes are sent'
complete -c mfactl -n "__fish_mfactl_using_subcommand test; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c mfactl -n "__fish_mfactl_using_subcommand events" -l user -d 'Only this person\'s' -r
complete -c mfactl -n "__fish_mfactl_using_subcommand events" -l kind -d 'Only of this kind: login-refused, code-wrong' -r
complete -c mfactl -n "__fish_mfactl_using_subcommand events" -l service -d 'Only by this PAM service' -r
complete -c mfactl -n "__fish_mfactl_using_subcommand events" -l source -d 'Only from this address, or local, or unknown' -r
complete -c mfactl -n "__fish_mfactl_using_subcommand events" -l reference -d 'Only of the login whose reference begins so' -r
complete -c mfactl -n "__fish_mfactl_using_subcommand events" -l since -d 'Not before this: 1h, 2d, 2026-11-05, 2026-11-05T14:00:00Z' -r
complete -c mfactl -n "__fish_mfactl_using_subcommand events" -l last -d 'Only so many of the newest' -r
complete -c mfactl -n "__fish_mfactl_using_subcommand events" -l socket -d 'The socket that mfad listens on' -r -F
complete -c mfactl -n "__fish_mfactl_using_subcommand events" -l follow -d 'Wait for more; starts with the last 10 unless told otherwise'
complete -c mfactl -n "__fish_mfactl_using_subcommand events" -l json -d 'Print mfad\'s answers as JSON, one a line'
complete -c mfactl -n "__fish_mfactl_using_subcommand events" -s h -l help -d 'Print help'
complete -c mfactl -n "__fish_mfactl_using_subcommand audit; and not __fish_seen_subcommand_from verify help" -l socket -d 'The socket that mfad listens on' -r -F
complete -c mfactl -n "__fish_mfactl_using_subcommand audit; and not __fish_seen_subcommand_from verify help" -l json -d 'Print mfad\'s answers as JSON, one a line'
complete -c mfactl -n "__fish_mfactl_using_subcommand audit; and not __fish_seen_subcommand_from verify help" -s h -l help -d 'Print help'
complete -c mfactl -n "__fish_mfactl_using_subcommand audit; and not __fish_seen_subcommand_from verify help" -f -a "verify" -d 'Look for events that were changed, moved, taken away, put there or cut off'
complete -c mfactl -n "__fish_mfactl_using_subcommand audit; and not __fish_seen_subcommand_from verify help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c mfactl -n "__fish_mfactl_using_subcommand audit; and __fish_seen_subcommand_from verify" -l known -d 'A head that was noted down before: is the audit still the same one?' -r
complete -c mfactl -n "__fish_mfactl_using_subcommand audit; and __fish_seen_subcommand_from verify" -l socket -d 'The socket that mfad listens on' -r -F
complete -c mfactl -n "__fish_mfactl_using_subcommand audit; and __fish_seen_subcommand_from verify" -l json -d 'Print mfad\'s answers as JSON, one a line'
complete -c mfactl -n "__fish_mfactl_using_subcommand audit; and __fish_seen_subcommand_from verify" -s h -l help -d 'Print help'
complete -c mfactl -n "__fish_mfactl_using_subcommand audit; and __fish_seen_subcommand_from help" -f -a "verify" -d 'Look for events that were changed, moved, taken away, put there or cut off'
complete -c mfactl -n "__fish_mfactl_using_subcommand audit; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c mfactl -n "__fish_mfactl_using_subcommand backup" -l key-file -d 'Encrypt to the contents of this file instead of a passphrase' -r -F
complete -c mfactl -n "__fish_mfactl_using_subcommand backup" -l socket -d 'The socket that mfad listens on' -r -F
complete -c mfactl -n "__fish_mfactl_using_subcommand backup" -l json -d 'Print mfad\'s answers as JSON, one a line'
complete -c mfactl -n "__fish_mfactl_using_subcommand backup" -s h -l help -d 'Print help'
complete -c mfactl -n "__fish_mfactl_using_subcommand restore" -l key-file -d 'It was encrypted to the contents of this file' -r -F
complete -c mfactl -n "__fish_mfactl_using_subcommand restore" -l socket -d 'The socket that mfad listens on' -r -F
complete -c mfactl -n "__fish_mfactl_using_subcommand restore" -l yes -d 'Carry it out; without this it is only looked at'
complete -c mfactl -n "__fish_mfactl_using_subcommand restore" -l json -d 'Print mfad\'s answers as JSON, one a line'
complete -c mfactl -n "__fish_mfactl_using_subcommand restore" -s h -l help -d 'Print help'
complete -c mfactl -n "__fish_mfactl_using_subcommand stats" -l since -d 'Since when: 1h, 2d, 2026-11-05; 31 days back at the most [default: 24h]' -r
complete -c mfactl -n "__fish_mfactl_using_subcommand stats" -l socket -d 'The socket that mfad listens on' -r -F
complete -c mfactl -n "__fish_mfactl_using_subcommand stats" -l json -d 'Print mfad\'s answers as JSON, one a line'
complete -c mfactl -n "__fish_mfactl_using_subcommand stats" -s h -l help -d 'Print help'
complete -c mfactl -n "__fish_mfactl_using_subcommand metrics" -l socket -d 'The socket that mfad listens on' -r -F
complete -c mfactl -n "__fish_mfactl_using_subcommand metrics" -l json -d 'Print mfad\'s answers as JSON, one a line'
complete -c mfactl -n "__fish_mfactl_using_subcommand metrics" -s h -l help -d 'Print help'
complete -c mfactl -n "__fish_mfactl_using_subcommand health" -l socket -d 'The socket that mfad listens on' -r -F
complete -c mfactl -n "__fish_mfactl_using_subcommand health" -l json -d 'Print mfad\'s answers as JSON, one a line'
complete -c mfactl -n "__fish_mfactl_using_subcommand health" -s h -l help -d 'Print help'
complete -c mfactl -n "__fish_mfactl_using_subcommand help; and not __fish_seen_subcommand_from status history enrol confirm remove prefer recovery devices user users bypass enrol-ticket import key explain report setup doctor config test events audit backup restore stats metrics health help" -f -a "status" -d 'Show your own account: factors, codes left, locks'
complete -c mfactl -n "__fish_mfactl_using_subcommand help; and not __fish_seen_subcommand_from status history enrol confirm remove prefer recovery devices user users bypass enrol-ticket import key explain report setup doctor config test events audit backup restore stats metrics health help" -f -a "history" -d 'Show what happened to your own account'
complete -c mfactl -n "__fish_mfactl_using_subcommand help; and not __fish_seen_subcommand_from status history enrol confirm remove prefer recovery devices user users bypass enrol-ticket import key explain report setup doctor config test events audit backup restore stats metrics health help" -f -a "enrol" -d 'Add a factor: an app, a token, an address'
complete -c mfactl -n "__fish_mfactl_using_subcommand help; and not __fish_seen_subcommand_from status history enrol confirm remove prefer recovery devices user users bypass enrol-ticket import key explain report setup doctor config test events audit backup restore stats metrics health help" -f -a "confirm" -d 'Confirm a new factor by its first code'
complete -c mfactl -n "__fish_mfactl_using_subcommand help; and not __fish_seen_subcommand_from status history enrol confirm remove prefer recovery devices user users bypass enrol-ticket import key explain report setup doctor config test events audit backup restore stats metrics health help" -f -a "remove" -d 'Take a factor away'
complete -c mfactl -n "__fish_mfactl_using_subcommand help; and not __fish_seen_subcommand_from status history enrol confirm remove prefer recovery devices user users bypass enrol-ticket import key explain report setup doctor config test events audit backup restore stats metrics health help" -f -a "prefer" -d 'Choose the factor that is asked for first'
complete -c mfactl -n "__fish_mfactl_using_subcommand help; and not __fish_seen_subcommand_from status history enrol confirm remove prefer recovery devices user users bypass enrol-ticket import key explain report setup doctor config test events audit backup restore stats metrics health help" -f -a "recovery" -d 'Recovery codes, for the day that the other factors are lost'
complete -c mfactl -n "__fish_mfactl_using_subcommand help; and not __fish_seen_subcommand_from status history enrol confirm remove prefer recovery devices user users bypass enrol-ticket import key explain report setup doctor config test events audit backup restore stats metrics health help" -f -a "devices" -d 'Remembered devices: shown by status, forgotten here'
complete -c mfactl -n "__fish_mfactl_using_subcommand help; and not __fish_seen_subcommand_from status history enrol confirm remove prefer recovery devices user users bypass enrol-ticket import key explain report setup doctor config test events audit backup restore stats metrics health help" -f -a "user" -d 'Show or change one person\'s account'
complete -c mfactl -n "__fish_mfactl_using_subcommand help; and not __fish_seen_subcommand_from status history enrol confirm remove prefer recovery devices user users bypass enrol-ticket import key explain report setup doctor config test events audit backup restore stats metrics health help" -f -a "users" -d 'List the accounts that mfad knows'
complete -c mfactl -n "__fish_mfactl_using_subcommand help; and not __fish_seen_subcommand_from status history enrol confirm remove prefer recovery devices user users bypass enrol-ticket import key explain report setup doctor config test events audit backup restore stats metrics health help" -f -a "bypass" -d 'Codes that let somebody in without a factor of theirs'
complete -c mfactl -n "__fish_mfactl_using_subcommand help; and not __fish_seen_subcommand_from status history enrol confirm remove prefer recovery devices user users bypass enrol-ticket import key explain report setup doctor config test events audit backup restore stats metrics health help" -f -a "enrol-ticket" -d 'Leave to enrol at a login'
complete -c mfactl -n "__fish_mfactl_using_subcommand help; and not __fish_seen_subcommand_from status history enrol confirm remove prefer recovery devices user users bypass enrol-ticket import key explain report setup doctor config test events audit backup restore stats metrics health help" -f -a "import" -d 'Take over factors of other programs'
complete -c mfactl -n "__fish_mfactl_using_subcommand help; and not __fish_seen_subcommand_from status history enrol confirm remove prefer recovery devices user users bypass enrol-ticket import key explain report setup doctor config test events audit backup restore stats metrics health help" -f -a "key" -d 'The key that seals the secrets'
complete -c mfactl -n "__fish_mfactl_using_subcommand help; and not __fish_seen_subcommand_from status history enrol confirm remove prefer recovery devices user users bypass enrol-ticket import key explain report setup doctor config test events audit backup restore stats metrics health help" -f -a "explain" -d 'Tell what a login would meet, and which rule says so'
complete -c mfactl -n "__fish_mfactl_using_subcommand help; and not __fish_seen_subcommand_from status history enrol confirm remove prefer recovery devices user users bypass enrol-ticket import key explain report setup doctor config test events audit backup restore stats metrics health help" -f -a "report" -d 'Tell who would be locked out'
complete -c mfactl -n "__fish_mfactl_using_subcommand help; and not __fish_seen_subcommand_from status history enrol confirm remove prefer recovery devices user users bypass enrol-ticket import key explain report setup doctor config test events audit backup restore stats metrics health help" -f -a "setup" -d 'Set mfad up: mail, a first person, a trial, and only then switch it on'
complete -c mfactl -n "__fish_mfactl_using_subcommand help; and not __fish_seen_subcommand_from status history enrol confirm remove prefer recovery devices user users bypass enrol-ticket import key explain report setup doctor config test events audit backup restore stats metrics health help" -f -a "doctor" -d 'Look for every way around the second factor, and every way to be locked out'
complete -c mfactl -n "__fish_mfactl_using_subcommand help; and not __fish_seen_subcommand_from status history enrol confirm remove prefer recovery devices user users bypass enrol-ticket import key explain report setup doctor config test events audit backup restore stats metrics health help" -f -a "config" -d 'The configuration: checked, or put into effect'
complete -c mfactl -n "__fish_mfactl_using_subcommand help; and not __fish_seen_subcommand_from status history enrol confirm remove prefer recovery devices user users bypass enrol-ticket import key explain report setup doctor config test events audit backup restore stats metrics health help" -f -a "test" -d 'Try a part of mfad'
complete -c mfactl -n "__fish_mfactl_using_subcommand help; and not __fish_seen_subcommand_from status history enrol confirm remove prefer recovery devices user users bypass enrol-ticket import key explain report setup doctor config test events audit backup restore stats metrics health help" -f -a "events" -d 'Show what happened: logins, refusals, changes'
complete -c mfactl -n "__fish_mfactl_using_subcommand help; and not __fish_seen_subcommand_from status history enrol confirm remove prefer recovery devices user users bypass enrol-ticket import key explain report setup doctor config test events audit backup restore stats metrics health help" -f -a "audit" -d 'The record of what happened, as a whole'
complete -c mfactl -n "__fish_mfactl_using_subcommand help; and not __fish_seen_subcommand_from status history enrol confirm remove prefer recovery devices user users bypass enrol-ticket import key explain report setup doctor config test events audit backup restore stats metrics health help" -f -a "backup" -d 'Write an encrypted copy of the database, while mfad runs'
complete -c mfactl -n "__fish_mfactl_using_subcommand help; and not __fish_seen_subcommand_from status history enrol confirm remove prefer recovery devices user users bypass enrol-ticket import key explain report setup doctor config test events audit backup restore stats metrics health help" -f -a "restore" -d 'Put a backup in the place of the database'
complete -c mfactl -n "__fish_mfactl_using_subcommand help; and not __fish_seen_subcommand_from status history enrol confirm remove prefer recovery devices user users bypass enrol-ticket import key explain report setup doctor config test events audit backup restore stats metrics health help" -f -a "stats" -d 'Count logins by hour, outcome and factor'
complete -c mfactl -n "__fish_mfactl_using_subcommand help; and not __fish_seen_subcommand_from status history enrol confirm remove prefer recovery devices user users bypass enrol-ticket import key explain report setup doctor config test events audit backup restore stats metrics health help" -f -a "metrics" -d 'Show mfad\'s counters as Prometheus reads them'
complete -c mfactl -n "__fish_mfactl_using_subcommand help; and not __fish_seen_subcommand_from status history enrol confirm remove prefer recovery devices user users bypass enrol-ticket import key explain report setup doctor config test events audit backup restore stats metrics health help" -f -a "health" -d 'Show how mfad is'
complete -c mfactl -n "__fish_mfactl_using_subcommand help; and not __fish_seen_subcommand_from status history enrol confirm remove prefer recovery devices user users bypass enrol-ticket import key explain report setup doctor config test events audit backup restore stats metrics health help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c mfactl -n "__fish_mfactl_using_subcommand help; and __fish_seen_subcommand_from recovery" -f -a "new" -d 'Make new ones; the old ones end'
complete -c mfactl -n "__fish_mfactl_using_subcommand help; and __fish_seen_subcommand_from devices" -f -a "list" -d 'List them'
complete -c mfactl -n "__fish_mfactl_using_subcommand help; and __fish_seen_subcommand_from devices" -f -a "revoke" -d 'Forget one, or all'
complete -c mfactl -n "__fish_mfactl_using_subcommand help; and __fish_seen_subcommand_from user" -f -a "enable" -d 'Switch the second factor on'
complete -c mfactl -n "__fish_mfactl_using_subcommand help; and __fish_seen_subcommand_from user" -f -a "disable" -d 'Switch the second factor off'
complete -c mfactl -n "__fish_mfactl_using_subcommand help; and __fish_seen_subcommand_from user" -f -a "show" -d 'Show the account: address, factors, locks, codes that are out'
complete -c mfactl -n "__fish_mfactl_using_subcommand help; and __fish_seen_subcommand_from user" -f -a "unlock" -d 'Forget failures and locks'
complete -c mfactl -n "__fish_mfactl_using_subcommand help; and __fish_seen_subcommand_from user" -f -a "reset" -d 'Forget every factor and every code; switch and address stay'
complete -c mfactl -n "__fish_mfactl_using_subcommand help; and __fish_seen_subcommand_from user" -f -a "email" -d 'Set or clear the address that codes are mailed to'
complete -c mfactl -n "__fish_mfactl_using_subcommand help; and __fish_seen_subcommand_from bypass" -f -a "issue" -d 'Give one out'
complete -c mfactl -n "__fish_mfactl_using_subcommand help; and __fish_seen_subcommand_from bypass" -f -a "revoke" -d 'Make all that are out void'
complete -c mfactl -n "__fish_mfactl_using_subcommand help; and __fish_seen_subcommand_from enrol-ticket" -f -a "issue" -d 'Give one out; an earlier one ends'
complete -c mfactl -n "__fish_mfactl_using_subcommand help; and __fish_seen_subcommand_from import" -f -a "google-authenticator" -d 'The state files of pam_google_authenticator'
complete -c mfactl -n "__fish_mfactl_using_subcommand help; and __fish_seen_subcommand_from import" -f -a "oath" -d 'The users file of pam_oath: /etc/users.oath'
complete -c mfactl -n "__fish_mfactl_using_subcommand help; and __fish_seen_subcommand_from import" -f -a "otpauth" -d 'URIs, one a line: otpauth://… or an export of Google\'s app'
complete -c mfactl -n "__fish_mfactl_using_subcommand help; and __fish_seen_subcommand_from key" -f -a "rotate" -d 'Seal every secret anew by the first key of the key file'
complete -c mfactl -n "__fish_mfactl_using_subcommand help; and __fish_seen_subcommand_from report" -f -a "rollout" -d 'By what would happen if a factor were asked of everybody, and by what dry runs saw'
complete -c mfactl -n "__fish_mfactl_using_subcommand help; and __fish_seen_subcommand_from config" -f -a "check" -d 'Read the files with mfad\'s own parser, and change nothing'
complete -c mfactl -n "__fish_mfactl_using_subcommand help; and __fish_seen_subcommand_from config" -f -a "reload" -d 'Put the files into effect, or say why not and keep what is'
complete -c mfactl -n "__fish_mfactl_using_subcommand help; and __fish_seen_subcommand_from test" -f -a "mail" -d 'Send a test mail the way codes are sent'
complete -c mfactl -n "__fish_mfactl_using_subcommand help; and __fish_seen_subcommand_from audit" -f -a "verify" -d 'Look for events that were changed, moved, taken away, put there or cut off'
