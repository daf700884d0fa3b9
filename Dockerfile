# The whole system for CPUs: docker build -t wellread . && docker run --rm -v "$PWD:/work" wellread
# --build-arg EXTRA= makes the tokenizer alone; another TORCH_INDEX brings PyTorch for GPUs.
FROM python:3.13-slim AS build
ARG EXTRA=[all]
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
WORKDIR /source
COPY pyproject.toml README.md LICENSE constraints.txt ./
COPY recipes recipes
COPY src src
RUN python -m venv /opt/wellread \
    && /opt/wellread/bin/pip install --no-cache-dir --extra-index-url "$TORCH_INDEX" \
        -c constraints.txt ".$EXTRA"

FROM python:3.13-slim
COPY --from=build /opt/wellread /opt/wellread
# Kernels are compiled at first use and kept here; mount a volume to keep them longer.
ENV PATH=/opt/wellread/bin:$PATH NUMBA_CACHE_DIR=/cache/kernels XDG_CACHE_HOME=/cache \
    MPLCONFIGDIR=/cache/matplotlib HF_HOME=/cache/huggingface
RUN useradd --create-home --uid 1000 reader && mkdir /work /cache && chown reader: /work /cache
USER reader
WORKDIR /work
VOLUME ["/work", "/cache"]
ENTRYPOINT ["wellread"]
CMD ["--help"]
