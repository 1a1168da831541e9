# Boot one host and, as a machine does, boot it again when it asks for it.
# Run in a mount namespace and a control group of its own: boot.sh NAME FOLDER NETNS CGROUP
set -eu
name=$1 folder=$2 netns=$3 cgroup=$4

# nspawn keeps locks here; a private place leaves nothing behind and knows of no other lab.
mkdir -p /run/systemd
mount -t tmpfs -o mode=755 xray-ops-lab /run/systemd

# With cgroup v1 mounted, systemd on the host would run "degraded".
if [ "$(stat -fc %T /sys/fs/cgroup)" != cgroup2fs ]; then
    umount -R /sys/fs/cgroup
    mount -t cgroup2 cgroup2 /sys/fs/cgroup
fi
[ -d "/sys/fs/cgroup/$cgroup" ]

mount -t overlay xray-ops-lab -o "lowerdir=$folder/image,upperdir=$folder/up,workdir=$folder/work" "$folder/root"

export SYSTEMD_NSPAWN_API_VFS_WRITABLE=network  # /proc/sys/net of the host is its own
while :; do
    # A time namespace makes /proc/uptime count from this boot: tools that wait for a reboot look there.
    uptime=$(cut -d. -f1 /proc/uptime)
    status=0
    unshare --time --boottime "-$uptime" --monotonic "-$uptime" systemd-nspawn \
        --quiet --register=no --keep-unit --boot --console=pipe \
        --machine="$name" --directory="$folder/root" --network-namespace-path="/run/netns/$netns" \
        --capability=CAP_NET_ADMIN --link-journal=no --resolv-conf=off --timezone=off || status=$?
    echo "$name: systemd-nspawn ended with $status"
    [ "$status" = 133 ] || exit "$status"  # 133: the host asked for a reboot
done
