"""Settings of the AWX that the bench starts: AWX's production settings include this file (AWX_SETTINGS_FILE).

Everything lies in one folder, AWX_BENCH: the sockets of PostgreSQL and Redis, what AWX fetches of projects.
"""

import os

_bench = os.environ["AWX_BENCH"]
_redis = f"unix://{_bench}/redis.sock"

SECRET_KEY = "of a bench that lives for minutes"
ALLOWED_HOSTS = ["127.0.0.1"]
CLUSTER_HOST_ID = "awx-bench"
DATABASES = {
    "default": {
        "ATOMIC_REQUESTS": True,
        "ENGINE": "awx.main.db.profiled_pg",
        "NAME": "awx",
        "USER": "awx",
        "HOST": _bench,
    }
}
BROKER_URL = _redis
CACHES = {"default": {"BACKEND": "awx.main.cache.AWXRedisCache", "LOCATION": f"{_redis}?db=1"}}
CHANNEL_LAYERS = {
    "default": {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": {"hosts": [_redis], "capacity": 10000}}
}
PROJECTS_ROOT = f"{_bench}/projects/"
JOBOUTPUT_ROOT = f"{_bench}/job_status/"
STATIC_ROOT = f"{_bench}/static"
