"""The official images of Docker Hub: the words that are surely meant as images.

From https://github.com/docker-library/official-images/tree/master/library, with those that are no
longer updated, since people still ask for them.
"""

from typing import Final

OFFICIAL_IMAGES: Final = frozenset(
    """
    adminer aerospike almalinux alpine alt amazoncorretto amazonlinux api-firewall arangodb
    archlinux backdrop bash bonita buildpack-deps busybox caddy cassandra centos chronograf
    cirros clearlinux clefos clickhouse clojure composer consul convertigo couchbase couchdb
    crate dart debian docker drupal eclipse-mosquitto eclipse-temurin eggdrop elasticsearch
    elixir emqx erlang euleros express-gateway fedora flink fluentd friendica gazebo gcc
    geonetwork ghost golang gradle groovy haproxy haskell haxe hello-world hitch httpd hylang
    ibm-semeru-runtimes ibmjava influxdb irssi java jenkins jetty jobber joomla jruby julia
    kaazing-gateway kapacitor kibana known kong krakend lightstreamer liquibase logstash mageia
    mariadb matomo maven mediawiki memcached mongo mongo-express monica mono mysql nats
    nats-streaming neo4j neurodebian nextcloud nginx node notary nuxeo odoo open-liberty openjdk
    opensuse oraclelinux orientdb percona perl photon php php-zendserver phpmyadmin plone
    postfixadmin postgres python pypy r-base rabbitmq rails rakudo-star redis redmine registry
    rethinkdb rocket.chat rockylinux ros ruby rust sapmachine satosa scratch silverpeas
    sl solr sonarqube sourcemage spark spiped storm swarm swift swipl teamspeak telegraf
    thrift tomcat tomee traefik ubuntu unit varnish vault websphere-liberty wordpress xwiki
    yourls zipkin znc zookeeper
    """.split()
) - {"scratch"}
