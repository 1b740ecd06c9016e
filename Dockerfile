# docs/operations.md says how to build and run this.
ARG NODE=node:22.20.0-bookworm-slim
# What it runs on: any image with glibc. One with CUDA and llama-server brings GPUs.
ARG RUNTIME=debian:12.12-slim

FROM ${NODE} AS build
WORKDIR /app
COPY package.json package-lock.json ./
# Without scripts: `prepare` would build what is not here yet.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
RUN npm run build && npm prune --omit=dev --ignore-scripts --no-audit --no-fund

FROM ${RUNTIME}
COPY --from=build /usr/local/bin/node /usr/local/bin/node
COPY --from=build /app/package.json /opt/corral/package.json
COPY --from=build /app/node_modules /opt/corral/node_modules
COPY --from=build /app/dist /opt/corral/dist
RUN ln -s /opt/corral/dist/src/cli/main.js /usr/local/bin/corral \
    && chmod +x /opt/corral/dist/src/cli/main.js \
    && useradd --system --uid 10001 --create-home --home-dir /var/lib/corral corral
# Others can call here, so that corral.yaml has to have keys: without any Corral does not start.
ENV NODE_ENV=production \
    CORRAL_CONFIG=/etc/corral/corral.yaml \
    CORRAL_LISTEN_HOST=0.0.0.0 \
    CORRAL_LISTEN_PORT=8686 \
    CORRAL_DATA_FOLDER=/var/lib/corral
USER 10001
WORKDIR /var/lib/corral
VOLUME ["/var/lib/corral"]
EXPOSE 8686
STOPSIGNAL SIGTERM
# 503 while it starts and while it drains.
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 \
    CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.CORRAL_LISTEN_PORT}/health`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "/opt/corral/dist/src/cli/main.js"]
CMD ["serve"]
