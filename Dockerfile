# syntax=docker/dockerfile:1
FROM debian:bookworm AS build
RUN apt-get update && apt-get install --yes --no-install-recommends \
      g++ cmake ninja-build pkg-config libboost1.81-dev libboost-url1.81-dev libssl-dev libhiredis-dev libyaml-cpp-dev \
      nlohmann-json3-dev libcli11-dev libspdlog-dev libfmt-dev prometheus-cpp-dev libcurl4-openssl-dev zlib1g-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY CMakeLists.txt CMakePresets.json ./
COPY cmake cmake
COPY include include
COPY src src
RUN cmake --preset release -DDOORWARD_TESTS=OFF && cmake --build --preset release --target doorward \
    && strip build/release/bin/doorward

FROM debian:bookworm-slim
RUN apt-get update && apt-get install --yes --no-install-recommends \
      ca-certificates libboost-url1.81.0 libssl3 libhiredis0.14 libyaml-cpp0.7 libspdlog1.10 libfmt9 \
      libprometheus-cpp-core1.0 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin doorward
COPY --from=build /src/build/release/bin/doorward /usr/local/bin/doorward
USER 10001:10001
# server.listen must be 0.0.0.0:8080 to be reached from outside; the admin listener stays on loopback, where the probe asks.
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s --retries=3 \
  CMD ["/usr/local/bin/doorward", "probe", "--url", "http://127.0.0.1:9090/livez"]
ENTRYPOINT ["/usr/local/bin/doorward"]
CMD ["serve", "-c", "/etc/doorward/doorward.yaml"]
