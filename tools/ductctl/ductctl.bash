# SPDX-License-Identifier: GPL-2.0-only
# bash completion for ductctl

_ductctl_domains()
{
	xl list 2>/dev/null | awk 'NR > 1 { print $1 }'
}

# Names and numbers of frontends that have a link.
_ductctl_fronts()
{
	ductctl list 2>/dev/null | awk 'NR > 1 { print $2; if ($3 != "-") print $3 }'
}

_ductctl()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local global="--json --dry-run --help --version"
	local command="" front="" words="" i

	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--backend | --handle | --service | --channels | --pages | --uuid | --wait | --count)
			((i++)) ;;
		-*) ;;
		*)
			if [[ -z $command ]]; then
				command=${COMP_WORDS[i]}
			else
				front=${COMP_WORDS[i]}
			fi ;;
		esac
	done

	COMPREPLY=()
	case $prev in
	--backend)
		mapfile -t COMPREPLY < <(compgen -W "$(_ductctl_domains)" -- "$cur")
		return ;;
	--handle | --service | --channels | --pages | --uuid | --wait | --count)
		return ;;
	esac

	case $command in
	"")
		words="attach detach reattach list show stats monitor" ;;
	attach | reattach)
		[[ -n $front ]] || words=$(_ductctl_domains)
		global+=" --backend --handle --service --channels --pages --uuid --wait --no-wait" ;;
	detach)
		[[ -n $front ]] || words=$(_ductctl_fronts)
		global+=" --backend --handle --force --wait" ;;
	show | stats)
		[[ -n $front ]] || words=$(_ductctl_fronts)
		global+=" --backend --handle" ;;
	list)
		global+=" --backend" ;;
	monitor)
		global+=" --backend --count" ;;
	esac
	[[ $cur == -* ]] && words=$global
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}

complete -F _ductctl ductctl
