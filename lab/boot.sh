# Boot one host, and boot it again after each `reboot`.
# Runs in its own mount namespace and control group: boot.sh NAME FOLDER NETNS CGROUP
set -eu
name=$1 folder=$2 netns=$3 cgroup=$4

# nspawn has its locks here. A private folder leaves no files behind, and is not shared with labs.
mkdir -p /run/systemd
mount -t tmpfs -o mode=755 xray-ops-lab /run/systemd

# With cgroup v1, systemd on the host would be "degraded".
if [ "$(stat -fc %T /sys/fs/cgroup)" != cgroup2fs ]; then
    umount -R /sys/fs/cgroup
    mount -t cgroup2 cgroup2 /sys/fs/cgroup
fi
[ -d "/sys/fs/cgroup/$cgroup" ]

mount -t overlay xray-ops-lab -o "lowerdir=$folder/image,upperdir=$folder/up,workdir=$folder/work" "$folder/root"

export SYSTEMD_NSPAWN_API_VFS_WRITABLE=network  # the host has its own /proc/sys/net
while :; do
    # In a time namespace /proc/uptime starts with this boot. Tools that wait for a reboot read it.
    uptime=$(cut -d. -f1 /proc/uptime)
    status=0
    unshare --time --boottime "-$uptime" --monotonic "-$uptime" systemd-nspawn \
        --quiet --register=no --keep-unit --boot --console=pipe \
        --machine="$name" --directory="$folder/root" --network-namespace-path="/run/netns/$netns" \
        --capability=CAP_NET_ADMIN --link-journal=no --resolv-conf=off --timezone=off || status=$?
    echo "$name: systemd-nspawn ended with $status"
    [ "$status" = 133 ] || exit "$status"  # 133: the host asked for a reboot
done
