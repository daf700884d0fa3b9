"""A Ray cluster, for what Daft does. Both are loaded only where they are asked for."""

from wellread.base.errors import InputError


def use_ray() -> int:
    """Have Daft work on the cluster that Ray knows; how many processors it has.

    Starts Ray on this machine where no cluster's address is set.
    """
    try:
        import ray
    except ImportError:
        raise InputError("engine 'ray' needs Ray: pip install 'wellread[ray]'") from None
    import daft

    if not ray.is_initialized():
        ray.init(log_to_driver=False, logging_level="error")
    daft.set_runner_ray()
    return int(ray.cluster_resources().get("CPU", 1))
