{{ config(materialized="table") }}
select sum(x) as x from {{ ref("orders") }}
